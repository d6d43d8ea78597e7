"""Two gateway processes on one store, and one that is killed during a call."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from bankai.loopback import free_ports
from gateway.idempotency.settings import IdempotencySettings
from tests.gateway.conftest import as_is, policy_beside
from tests.gateway.test_faults import Process, running
from tests.gateway.toy import SERVICE, Toy, serving

pytestmark = pytest.mark.slow

LEASE_S = 5.0


class Gateway:
    """A gateway process and a channel to it."""

    def __init__(self, process: Process, channel: grpc.aio.Channel, key: str) -> None:
        self.process = process
        self._channel = channel
        self._metadata = (("x-api-key", key), ("idempotency-key", "a"))

    def slow(self, request: bytes) -> grpc.aio.UnaryUnaryCall[bytes, bytes]:
        call = self._channel.unary_unary(f"/{SERVICE}/Slow", as_is, as_is)
        return call(request, metadata=self._metadata, timeout=60)


@asynccontextmanager
async def gateways(
    backend: int, key_file: tuple[Path, str], settings: IdempotencySettings
) -> AsyncIterator[tuple[Gateway, Gateway]]:
    first, second = free_ports(2)
    async with one(first, backend, key_file, settings) as a, one(second, backend, key_file, settings) as b:
        yield a, b


@asynccontextmanager
async def one(
    port: int, backend: int, key_file: tuple[Path, str], settings: IdempotencySettings
) -> AsyncIterator[Gateway]:
    environment = {
        "BANKAI_GATEWAY_SERVER__LISTEN": f"127.0.0.1:{port}",
        "BANKAI_GATEWAY_KEYS_FILE": str(key_file[0]),
        "BANKAI_GATEWAY_POLICY_FILE": str(policy_beside(key_file[0])),
        "BANKAI_GATEWAY_ROUTES": json.dumps({SERVICE: f"127.0.0.1:{backend}"}),
        "BANKAI_GATEWAY_IDEMPOTENCY__FOLDER": str(settings.folder),
        "BANKAI_GATEWAY_IDEMPOTENCY__DATABASE_URL": settings.database_url.get_secret_value(),
        "BANKAI_GATEWAY_IDEMPOTENCY__LEASE_S": str(LEASE_S),
    }
    options = (("grpc.use_local_subchannel_pool", 1),)
    async with (
        running("gateway", port=port, **environment) as process,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel,
    ):
        yield Gateway(process, channel, key_file[1])


async def test_two_processes_make_a_call_once(
    toy: Toy, key_file: tuple[Path, str], idempotency: IdempotencySettings
) -> None:
    async with serving(toy, with_reflection=True) as backend, gateways(backend, key_file, idempotency) as (a, b):
        calls = [each.slow(b"pay") for _ in range(4) for each in (a, b)]
        await toy.saw("begun")
        await asyncio.sleep(LEASE_S + 1)  # a process that lives keeps its claim
        toy.may_read.set()
        async with asyncio.timeout(60):
            assert await asyncio.gather(*calls) == [b"1 pay"] * 8
        assert await b.slow(b"pay") == b"1 pay"
        assert await a.slow(b"other").code() is grpc.StatusCode.FAILED_PRECONDITION
    assert toy.events == ["begun"]


async def test_the_call_of_a_process_that_is_killed_is_made_by_another(
    toy: Toy, key_file: tuple[Path, str], idempotency: IdempotencySettings
) -> None:
    async with serving(toy, with_reflection=True) as backend, gateways(backend, key_file, idempotency) as (a, b):
        lost = a.slow(b"pay")
        await toy.saw("begun")
        a.process.kill()
        assert await lost.code() is grpc.StatusCode.UNAVAILABLE
        waiting = b.slow(b"pay")
        toy.may_read.set()
        async with asyncio.timeout(60):
            assert await waiting == b"2 pay"
        assert await b.slow(b"pay") == b"2 pay"


async def test_an_answer_outlives_the_process_that_gave_it(
    toy: Toy, key_file: tuple[Path, str], idempotency: IdempotencySettings
) -> None:
    toy.may_read.set()
    async with serving(toy, with_reflection=True) as backend, gateways(backend, key_file, idempotency) as (a, b):
        assert await a.slow(b"pay") == b"1 pay"
        a.process.kill()
        await a.process.wait()
        assert await b.slow(b"pay") == b"1 pay"
