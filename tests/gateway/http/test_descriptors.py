"""What the port knows of services: learned, kept, and learned anew."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest as Question
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionResponse as Answer

from bankai.interceptors import Context
from bankai.loopback import HOST, free_ports
from gateway.http import descriptors
from tests.gateway.http.conftest import Http, settings_for, through
from tests.gateway.http.kinds import SERVICE, Kinds, files, serving


def reason(answer: Any) -> str:
    told: str = answer["error"]["details"][0]["reason"]
    return told


def without(method: str) -> DescriptorPool:
    """The descriptors of an older server that lacks a method."""
    older = DescriptorPool()
    for file in files().file:
        copy = FileDescriptorProto()
        copy.CopyFrom(file)
        for service in copy.service:
            kept = [each for each in service.method if each.name != method]
            del service.method[:]
            service.method.extend(kept)
        older.Add(copy)
    return older


@pytest.fixture
async def restartable(key_file: tuple[Path, str]) -> AsyncIterator[tuple[Http, int]]:
    """A client of a gateway, and the port at which it looks for the backend that is not there yet."""
    port = free_ports(1)[0]
    settings = settings_for(f"{HOST}:{port}", key_file[0], backend={"max_reconnect_s": 0.1})
    async with through(settings, key_file[1], reached=False) as http:
        yield http, port


async def connected(http: Http) -> None:
    """Waits until the gateway reaches the backend, without asking the HTTP port."""
    async with grpc.aio.insecure_channel(f"{HOST}:{http.server.port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        watch = stub.Watch(health_pb2.HealthCheckRequest(service=SERVICE))
        async with asyncio.timeout(20):
            while (await watch.read()).status != health_pb2.HealthCheckResponse.SERVING:
                pass
        watch.cancel()


async def answered(http: Http, method: str, wanted: int) -> Any:
    """What a method answers once it answers with that status."""
    ends = time.monotonic() + 20
    while True:
        status, answer = await http.json(method)
        if status == wanted:
            return answer
        assert time.monotonic() < ends, (status, answer)
        await asyncio.sleep(0.05)


async def test_a_backend_that_is_away(restartable: tuple[Http, int]) -> None:
    http, port = restartable
    status, answer = await http.json("Mirror")
    assert (status, answer["error"]["status"], reason(answer)) == (503, "UNAVAILABLE", "BACKEND_UNAVAILABLE")
    assert (await http.json("Mirror", service="no.such.Service"))[0] == 404
    async with serving(Kinds(), port=port):
        await answered(http, "Mirror", 200)
    # What was learned stays while it is away: JSON that is wrong is told so.
    assert (await http.json("Mirror", "{"))[0] == 400
    await answered(http, "Mirror", 503)


async def test_a_backend_without_reflection(restartable: tuple[Http, int]) -> None:
    http, port = restartable
    async with serving(Kinds(), port=port, described=None):
        answer = await answered(http, "Mirror", 501)
    assert (answer["error"]["status"], reason(answer)) == ("UNIMPLEMENTED", "SERVICE_NOT_DESCRIBED")


async def test_a_method_that_a_new_version_has(restartable: tuple[Http, int], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "_MISS_S", 0.1)
    http, port = restartable
    async with serving(Kinds(), port=port, described=lambda: without("Mirror")):
        await answered(http, "Nothing", 200)
        assert (await http.json("Mirror"))[0] == 404
    async with serving(Kinds(), port=port):
        await answered(http, "Mirror", 200)


async def test_a_method_that_a_new_version_has_no_more(
    restartable: tuple[Http, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "_FRESH_S", 0.1)
    http, port = restartable
    async with serving(Kinds(), port=port):
        await answered(http, "Mirror", 200)
    async with serving(Kinds(), port=port, described=lambda: without("Mirror")):
        await answered(http, "Mirror", 404)


async def test_calls_that_come_at_once_ask_once(restartable: tuple[Http, int], monkeypatch: pytest.MonkeyPatch) -> None:
    http, port = restartable
    asked = 0
    learn = descriptors._learn

    async def counted(backend: Any) -> None:
        nonlocal asked
        asked += 1
        await learn(backend)

    async with serving(Kinds(), port=port):
        await connected(http)
        monkeypatch.setattr(descriptors, "_learn", counted)
        answers = await asyncio.gather(*(http.json("Mirror") for _ in range(20)))
    assert {status for status, _ in answers} == {200}
    assert asked == 1


async def test_misses_do_not_ask_the_backend_each_time(http: Http, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = 0
    learn = descriptors._learn

    async def counted(backend: Any) -> None:
        nonlocal asked
        asked += 1
        await learn(backend)

    monkeypatch.setattr(descriptors, "_learn", counted)
    for number in range(20):
        assert (await http.json(f"None{number}"))[0] == 404
    assert asked <= 1


class OneFileEach(grpc.GenericRpcHandler):
    """Reflection as other languages have it: files one by one, what they import by its name, and with comments."""

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        if "ServerReflectionInfo" not in handler_call_details.method:
            return None
        return grpc.stream_stream_rpc_method_handler(
            self._info, request_deserializer=Question.FromString, response_serializer=Answer.SerializeToString
        )

    async def _info(self, questions: AsyncIterator[Question], context: Context) -> AsyncIterator[Answer]:
        by_name = {file.name: file for file in files().file}
        async for question in questions:
            answer = Answer()
            if question.HasField("list_services"):
                answer.list_services_response.service.add(name=SERVICE)
            else:
                name = question.file_by_filename or "kinds.proto"
                answer.file_descriptor_response.file_descriptor_proto.append(by_name[name].SerializeToString())
            yield answer


async def test_files_that_are_told_one_by_one(restartable: tuple[Http, int]) -> None:
    http, port = restartable
    async with serving(Kinds(), port=port, describing=OneFileEach()):
        await answered(http, "Mirror", 200)
        async with http.session.get(f"{http.base}/openapi.json", headers={"x-api-key": http.key}) as answer:
            told = await answer.json()
    assert told["paths"][f"/v1/{SERVICE}/Mirror"]["post"]["description"] == "Answers the sample."


async def test_files_that_do_not_fit_together(restartable: tuple[Http, int]) -> None:
    class Half(OneFileEach):
        async def _info(self, questions: AsyncIterator[Question], context: Context) -> AsyncIterator[Answer]:
            async for _ in questions:
                answer = Answer()
                answer.file_descriptor_response.file_descriptor_proto.append(files().file[-1].SerializeToString())
                yield answer

    http, port = restartable
    async with serving(Kinds(), port=port, describing=Half()):
        answer = await answered(http, "Mirror", 501)
    assert reason(answer) == "SERVICE_NOT_DESCRIBED"
