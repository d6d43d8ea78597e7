import asyncio
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
from google.protobuf.descriptor_pb2 import FileDescriptorProto
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionRequest as Request
from grpc_reflection.v1alpha.reflection_pb2 import ServerReflectionResponse as Response

import bankai.intent.v1.intent_pb2  # noqa: F401  # so that the descriptors are known
from bankai.interceptors import Context
from bankai.server import GrpcServer
from bankai.settings import ServerSettings
from gateway.reflection import SERVICES
from gateway.settings import GatewaySettings
from tests.gateway.conftest import Client, settings_for, through
from tests.gateway.toy import SERVICE, Toy, serving

INTENT = "bankai.intent.v1.IntentService"


@pytest.fixture
async def intent() -> AsyncIterator[int]:
    server = GrpcServer(ServerSettings(listen="127.0.0.1:0", drain_grace_s=0), name="intent")

    async def none(_request: bytes, _context: Context) -> bytes:
        return b""

    handler = grpc.method_handlers_generic_handler(INTENT, {"ListIntents": grpc.unary_unary_rpc_method_handler(none)})
    server.add(lambda grpc_server: grpc_server.add_generic_rpc_handlers((handler,)), [INTENT])
    yield await server.start()
    await server.drain()


@pytest.fixture
async def two(intent: int, toy: Toy, key_file: tuple[Path, str]) -> AsyncIterator[Client]:
    """A client of a gateway in front of two services, of which one is described by nobody, and one that is away."""
    async with serving(toy, with_reflection=False) as port:
        routes = {SERVICE: f"127.0.0.1:{port}", INTENT: f"127.0.0.1:{intent}", "away.v1.Away": "127.0.0.1:1"}
        settings = GatewaySettings.model_validate(settings_for("x:1", key_file[0]).model_dump() | {"routes": routes})
        async with through(settings, key_file[1]) as client:
            yield client


async def buf(client: Client, *arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("buf"),
        "curl",
        "--protocol",
        "grpc",
        "--http2-prior-knowledge",
        "--header",
        f"x-api-key: {client.key[0][1]}",
        "--reflect-header",
        "*",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    out, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode()


async def test_buf_curl_lists_the_methods_and_calls_one(two: Client) -> None:
    url = f"http://127.0.0.1:{two.server.port}"
    code, services = await buf(two, "--list-services", url)
    assert code == 0, services
    assert INTENT in services.split()
    code, methods = await buf(two, "--list-methods", url)
    assert f"{INTENT}/Classify" in methods.split()
    code, answer = await buf(two, "--data", "{}", f"{url}/{INTENT}/ListIntents")
    assert code == 0, answer
    assert json.loads(answer) == {}


async def asked(client: Client, service: str, *requests: Request) -> list[Response]:
    call = client.channel.stream_stream(
        f"/{service}/ServerReflectionInfo", Request.SerializeToString, Response.FromString
    )(metadata=client.key)
    answers = []
    for request in requests:
        await call.write(request)
        answer = await call.read()
        assert isinstance(answer, Response)
        assert answer.original_request == request
        answers.append(answer)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF
    return answers


@pytest.mark.parametrize("service", SERVICES)
async def test_each_question_finds_the_backend_that_knows(two: Client, service: str) -> None:
    listed, by_service, by_message, by_file = await asked(
        two,
        service,
        Request(list_services=""),
        Request(file_containing_symbol=INTENT),
        Request(file_containing_symbol="bankai.intent.v1.ClassifyRequest"),
        Request(file_by_filename="bankai/intent/v1/intent.proto"),
    )
    # Only what can be described now: not the toy, which has no reflection, nor the service that is away.
    assert [entry.name for entry in listed.list_services_response.service] == [INTENT]
    for answer in (by_service, by_message, by_file):
        names = {
            FileDescriptorProto.FromString(raw).name for raw in answer.file_descriptor_response.file_descriptor_proto
        }
        assert "bankai/intent/v1/intent.proto" in names, answer


async def test_what_nobody_knows_is_an_error(two: Client) -> None:
    (answer,) = await asked(two, SERVICES[0], Request(file_containing_symbol="no.Such"))
    assert answer.HasField("error_response")


async def test_what_a_backend_does_not_know_of_its_own_is_its_error(two: Client) -> None:
    (answer,) = await asked(two, SERVICES[0], Request(file_containing_symbol=f"{INTENT}.NoSuch"))
    assert answer.error_response.error_code == grpc.StatusCode.NOT_FOUND.value[0]


async def test_a_service_that_is_away_cannot_be_described(two: Client) -> None:
    (answer,) = await asked(two, SERVICES[0], Request(file_containing_symbol="away.v1.Away"))
    assert answer.error_response.error_code == grpc.StatusCode.UNAVAILABLE.value[0]
