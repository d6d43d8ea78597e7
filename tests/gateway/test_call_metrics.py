import asyncio
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest
from prometheus_client import REGISTRY

from tests.gateway.conftest import Client, as_is
from tests.gateway.toy import SERVICE


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # counters have no event
            await asyncio.sleep(0.01)


def calls(**labels: str) -> float:
    return REGISTRY.get_sample_value("bankai_gateway_calls_total", labels) or 0.0


async def test_calls_are_counted_by_channel_method_code_and_reason(either: Client, key_file: tuple[Path, str]) -> None:
    echo = f"/{SERVICE}/Echo"
    good = {"channel": "ivr", "method": echo, "code": "OK", "reason": ""}
    stranger = {"channel": "unknown", "method": "unknown", "code": "UNAUTHENTICATED", "reason": "API_KEY_UNKNOWN"}
    denied = {"channel": "ivr", "method": "unknown", "code": "PERMISSION_DENIED", "reason": "METHOD_NOT_ALLOWED"}
    before = [calls(**labels) for labels in (good, stranger, denied)]
    await either.unary("Echo", b"x")
    for method, metadata in ((echo, (("x-api-key", "letmein"),)), ("/made.Up/Method", either.key)):
        with pytest.raises(grpc.aio.AioRpcError):
            await either.channel.unary_unary(method, as_is, as_is)(b"", metadata=metadata)
    await until(lambda: [calls(**each) for each in (good, stranger, denied)] == [count + 1 for count in before])


async def test_what_a_backend_refuses_counts_with_its_code(either: Client) -> None:
    labels = {"channel": "ivr", "method": f"/{SERVICE}/Fail", "code": "NOT_FOUND", "reason": ""}
    before = calls(**labels)
    with pytest.raises(grpc.aio.AioRpcError):
        await either.unary("Fail", b'{"code": "NOT_FOUND", "message": "no", "trailers": true}')
    await until(lambda: calls(**labels) == before + 1)  # the status goes out before the handler ends
