"""The intent service with its shipped models, by JSON."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from bankai.loopback import HOST, free_ports
from bankai.settings import InferenceSettings
from gateway.settings import GatewaySettings
from services.intent.app import serving
from services.intent.settings import IntentSettings
from tests.gateway.conftest import policy_beside
from tests.gateway.http.conftest import Http, events, through

SERVICE = "bankai.intent.v1.IntentService"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("time_to_fail"),
    pytest.mark.skipif(
        not Path(InferenceSettings().models_dir, "intent").is_dir(),
        reason="models/intent is not there yet: run the intent training",
    ),
]


@pytest.fixture
async def http(key_file: tuple[Path, str]) -> AsyncIterator[Http]:
    settings = IntentSettings.model_validate({"server": {"listen": f"{HOST}:0", "drain_grace_s": 0}})
    async with serving(settings) as server:
        port = await server.start()
        gateway = GatewaySettings.model_validate(
            {
                "routes": {SERVICE: f"{HOST}:{port}"},
                "keys_file": key_file[0],
                "policy_file": policy_beside(key_file[0]),
                "server": {"listen": f"{HOST}:0", "drain_grace_s": 0},
                "http": {"listen": f"{HOST}:{free_ports(1)[0]}"},
            }
        )
        async with through(gateway, key_file[1], reached=False) as client:
            async with asyncio.timeout(60):
                while (await client.json("Classify", '{"text": "我的卡丢了"}', service=SERVICE))[0] != 200:  # noqa: ASYNC110  # as clients do
                    await asyncio.sleep(0.1)
            yield client
        await server.stop_now()


async def test_classify(http: Http) -> None:
    body = json.dumps({"text": "我的卡丢了，赶紧给我挂失", "max_intents": 2})
    status, answer = await http.json("Classify", body, service=SERVICE)
    assert status == 200
    assert answer["analysis"]["intents"][0]["intentId"] == "card_loss_report"
    assert len(answer["analysis"]["intents"]) == 2


async def test_an_error_of_the_service(http: Http) -> None:
    status, answer = await http.json("Classify", '{"text": ""}', service=SERVICE)
    assert status == 400
    assert answer["error"]["status"] == "INVALID_ARGUMENT"
    details = {detail["@type"].rpartition(".")[2]: detail for detail in answer["error"]["details"]}
    assert details["ErrorInfo"]["reason"] == "EMPTY_TEXT"
    assert details["BadRequest"]["fieldViolations"][0]["field"] == "text"


async def test_a_call(http: Http) -> None:
    """A platform that sends a segment once it has the answer to the one before."""
    answered: asyncio.Queue[str] = asyncio.Queue()

    async def lines() -> AsyncIterator[bytes]:
        def line(message: dict[str, object]) -> bytes:
            return json.dumps(message).encode() + b"\n"

        yield line({"config": {"callId": "c-1", "language": "zh"}})
        assert await answered.get() == "accepted"
        for number, text in enumerate(("有人冒充公安 让我把钱转到安全账户", "我刚才转了三万", "帮我转人工")):
            yield line({"segment": {"segmentId": str(number), "text": text, "isFinal": True, "speaker": 1}})
            assert await answered.get() == "analysis"

    told = []
    async with asyncio.timeout(60), http.lines("StreamCall", lines(), service=SERVICE) as answer:
        assert answer.status == 200
        async for name, _, data in events(answer):
            if name == "message":
                told.append(json.loads(data))
                answered.put_nowait(next(iter(told[-1])))
    assert [next(iter(message)) for message in told] == ["accepted", "analysis", "analysis", "analysis", "summary"]
    assert "ESCALATION_REASON_SUSPECTED_FRAUD" in told[-2]["analysis"]["call"]["escalation"]["reasons"]
    assert told[-1]["summary"]["segmentCount"] == "3"


async def test_a_call_without_config(http: Http) -> None:
    async with http.lines("StreamCall", b'{"segment": {"segmentId": "1"}}\n', service=SERVICE) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]["details"][0]["reason"] == "CONFIG_REQUIRED"


async def test_a_platform_that_goes_can_take_its_call_up_again(http: Http) -> None:
    config = {"config": {"callId": "c-2"}}
    segment = {"segment": {"segmentId": "1", "text": "我的卡丢了", "isFinal": True}}

    async def lines() -> AsyncIterator[bytes]:
        for message in (config, segment):
            yield json.dumps(message).encode() + b"\n"
        await asyncio.sleep(60)

    async with aiohttp.ClientSession() as session:
        mine = Http(session, http.base, http.key, http.server)
        async with mine.lines("StreamCall", lines(), service=SERVICE) as answer:
            names = (next(iter(json.loads(data))) async for name, _, data in events(answer) if name == "message")
            assert [await anext(names), await anext(names)] == ["accepted", "analysis"]
    again = json.dumps({"config": {"callId": "c-2", "resume": {"lastSegmentId": "1"}}})
    async with asyncio.timeout(30):
        while True:  # the stream's end may take a moment to arrive
            async with http.lines("StreamCall", again.encode(), service=SERVICE) as answer:
                if answer.status == 200:
                    told = [json.loads(data) async for name, _, data in events(answer) if name == "message"]
                    break
                assert (await answer.json())["error"]["details"][0]["reason"] == "CALL_BUSY"
            await asyncio.sleep(0.1)
    assert told[0]["accepted"] == {
        "callId": "c-2", "resumed": True, "lastSegmentId": "1", "call": told[0]["accepted"]["call"]
    }  # fmt: skip
