"""Every refusal as a client sees it, through real gRPC and the gateway's own relay."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import grpc
import pytest
from prometheus_client import REGISTRY

from bankai.errors import BankaiError, ExhaustedError, QuotaViolation
from bankai.interceptors import CallInfo, Context, SyncInterceptor, default_interceptors
from bankai.server import GrpcServer
from bankai.settings import ServerSettings
from bankai.status import from_rpc_error
from gateway.authn import caller
from gateway.authn.caller import Caller
from gateway.metadata import Onward
from gateway.policy import permit as permits
from gateway.policy.permit import Permit
from gateway.proxy import Proxy
from gateway.quota.interceptor import QuotaInterceptor
from gateway.quota.limiter import Limiter
from gateway.quota.settings import QuotaSettings
from gateway.routing.channels import Channels
from gateway.routing.methods import Methods
from gateway.routing.model import ROUTES
from gateway.routing.table import RouteTable
from gateway.settings import BackendSettings
from tests.gateway.conftest import Client, as_is, unary_calls
from tests.gateway.quota.conftest import permit
from tests.gateway.toy import SERVICE, Toy, serving

SOON = 1e-3  # calls a second so few that a test sees none of them


class LetIn(SyncInterceptor):
    """Gives every call of the toy the permit that is in force."""

    def __init__(self) -> None:
        self.permit = permit()

    @contextmanager
    def around(self, call: CallInfo, context: Context) -> Iterator[None]:
        caller.enter(Caller(self.permit.channel, "test"))
        if call.service == SERVICE:
            permits.enter(self.permit)
        yield


class Limited(Client):
    """A client of a gateway whose policy the test says."""

    def __init__(self, channel: grpc.aio.Channel, server: GrpcServer, policy: LetIn, toy: Toy) -> None:
        super().__init__(channel, "none", server)
        self.toy = toy
        self._policy = policy

    def allow(self, allowed: Permit) -> None:
        self._policy.permit = allowed


@asynccontextmanager
async def limited(*, learned: bool) -> AsyncIterator[Limited]:
    """A gateway that knows which methods are unary, or does not."""
    settings = ServerSettings(listen="127.0.0.1:0", drain_grace_s=0)
    policy, toy = LetIn(), Toy()
    limiter = Limiter(QuotaSettings())
    async with serving(toy, with_reflection=learned) as backend:
        routes = ROUTES.validate_python({SERVICE: f"127.0.0.1:{backend}"})
        table = RouteTable(routes, Channels(BackendSettings(), settings.max_message_bytes, grace_s=0.0))
        methods = Methods(table)
        proxy = Proxy(table, methods, Onward(None), settings.default_deadline_s)
        chain = default_interceptors(settings, own=(policy, QuotaInterceptor(limiter)))
        server = GrpcServer(settings, name="gateway", interceptors=chain)
        server.add(lambda grpc_server: grpc_server.add_generic_rpc_handlers((proxy,)), ())
        port = await server.start()
        try:
            options = (("grpc.use_local_subchannel_pool", 1),)
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", options) as channel:
                client = Limited(channel, server, policy, toy)
                await client.unary("Echo", b"", wait_for_ready=True)
                if learned:
                    before = unary_calls()
                    async with asyncio.timeout(20):
                        while unary_calls() == before:
                            await client.unary("Echo", b"")
                yield client
        finally:
            await server.drain()
            await methods.close()
            await table.close()


@pytest.fixture
async def client() -> AsyncIterator[Limited]:
    async with limited(learned=True) as client:
        yield client


@pytest.fixture(params=["as stream", "as unary"])
async def either(request: pytest.FixtureRequest) -> AsyncIterator[Limited]:
    async with limited(learned=request.param == "as unary") as client:
        yield client


async def refusal(call: Any) -> ExhaustedError:
    """The error with which a call, or the reading of a stream, ends."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async with asyncio.timeout(10):
            await call
    error: BankaiError = from_rpc_error(caught.value)
    assert isinstance(error, ExhaustedError)
    return error


def count(reason: str) -> float:
    labels = {"channel": "ivr", "reason": reason}
    return REGISTRY.get_sample_value("bankai_gateway_limited_calls_total", labels) or 0.0


async def chatting(client: Limited) -> Any:
    """A stream on which the toy has answered once."""
    call = client.bidi("Chat")
    await call.write(b"hello")
    assert await call.read() == b"you said hello"
    return call


async def test_rate(either: Limited) -> None:
    before = count("RATE_LIMITED")
    either.allow(permit(calls_per_s=0.01, burst=2))
    assert await either.unary("Echo", b"1") == b"1"
    assert await either.unary("Echo", b"2") == b"2"
    error = await refusal(either.unary("Echo", b"3"))
    assert error.reason == "RATE_LIMITED"
    assert 50 < (error.retry_after or 0) <= 100
    assert error.quotas == (
        QuotaViolation("channel:ivr", "at most 0.01 calls a second, 2 at once after a pause", "calls", "calls_per_s"),
    )
    assert "channel ivr" in error.message
    assert "0.01 calls a second" in error.message
    assert count("RATE_LIMITED") == before + 1


async def test_streams_cost_rate_and_day_too(client: Limited) -> None:
    client.allow(permit(calls_per_s=SOON, burst=1))
    call = await chatting(client)
    assert (await refusal(client.bidi("Chat").read())).reason == "RATE_LIMITED"
    client.allow(permit("mobile", calls_per_day=1))
    await chatting(client)
    assert (await refusal(client.bidi("Chat").read())).reason == "DAILY_QUOTA_EXHAUSTED"
    call.cancel()


async def test_a_call_after_the_delay_passes(client: Limited) -> None:
    client.allow(permit(calls_per_s=4, burst=1))
    for _ in range(3):
        assert await client.unary("Echo", b"x") == b"x"
        error = await refusal(client.unary("Echo", b"x"))
        assert 0 < (error.retry_after or 0) <= 0.25
        await asyncio.sleep(error.retry_after or 0)


async def test_day(either: Limited) -> None:
    either.allow(permit(calls_per_day=1))
    assert await either.unary("Echo", b"1") == b"1"
    error = await refusal(either.unary("Echo", b"2"))
    assert error.reason == "DAILY_QUOTA_EXHAUSTED"
    assert 0 < (error.retry_after or 0) <= 86_400
    (quota,) = error.quotas
    assert (quota.subject, quota.metric, quota.limit, quota.value) == ("channel:ivr", "calls", "calls_per_day", 1)


async def test_calls_at_once(client: Limited) -> None:
    client.allow(permit(calls_at_once=1))
    hanging = client.unary("Hang", b"")
    await client.toy.saw("begun")
    error = await refusal(client.unary("Echo", b""))
    assert (error.reason, error.retry_after) == ("TOO_MANY_CALLS_OF_CHANNEL", 1.0)
    (quota,) = error.quotas
    assert (quota.subject, quota.metric, quota.limit, quota.value) == ("channel:ivr", "calls", "calls_at_once", 1)
    stream = await chatting(client)  # streams are counted on their own
    hanging.cancel()
    await client.toy.saw("cancelled")
    await eventually(client, "Echo")
    stream.cancel()


async def test_streams_at_once(client: Limited) -> None:
    client.allow(permit(streams_at_once=1))
    first = await chatting(client)
    error = await refusal(client.bidi("Chat").read())
    assert (error.reason, error.retry_after) == ("TOO_MANY_STREAMS_OF_CHANNEL", 1.0)
    (quota,) = error.quotas
    assert (quota.subject, quota.metric, quota.limit, quota.value) == ("channel:ivr", "streams", "streams_at_once", 1)
    await client.unary("Echo", b"")
    await first.write(b"hello")  # and it has its place until its end
    assert await first.read() == b"you said hello"
    await first.done_writing()
    assert await first.read() == b"bye"
    assert await first.read() is grpc.aio.EOF
    second = await chatting(client)
    second.cancel()


async def test_a_place_is_free_again_however_a_stream_ends(client: Limited) -> None:
    client.allow(permit(streams_at_once=1, call={"max_stream_messages": 2}))
    for _ in range(3):
        async with asyncio.timeout(10):
            while True:
                try:
                    call = await chatting(client)
                    break
                except grpc.aio.AioRpcError:  # the last one has not ended yet
                    await asyncio.sleep(0.02)
        call.cancel()


async def test_a_unary_call_of_unknown_kind_counts_as_a_stream() -> None:
    async with limited(learned=False) as client:
        client.allow(permit(calls_at_once=1, streams_at_once=1))
        stream = await chatting(client)
        assert (await refusal(client.unary("Echo", b""))).reason == "TOO_MANY_STREAMS_OF_CHANNEL"
        stream.cancel()


async def test_a_call_refused_for_others_in_flight_costs_no_token(client: Limited) -> None:
    client.allow(permit(calls_at_once=1, calls_per_s=SOON, burst=2))
    hanging = client.unary("Hang", b"")
    await client.toy.saw("begun")
    for _ in range(5):
        assert (await refusal(client.unary("Echo", b""))).reason == "TOO_MANY_CALLS_OF_CHANNEL"
    hanging.cancel()
    await client.toy.saw("cancelled")
    await eventually(client, "Echo")
    assert (await refusal(client.unary("Echo", b""))).reason == "RATE_LIMITED"


async def test_a_message_too_large(either: Limited) -> None:
    either.allow(permit(call={"max_message_bytes": 10}, calls_per_s=SOON, burst=3))
    assert await either.unary("Echo", b"0123456789") == b"0123456789"
    error = await refusal(either.unary("Echo", b"0123456789a"))
    assert (error.reason, error.retry_after) == ("MESSAGE_TOO_LARGE", None)
    (quota,) = error.quotas
    assert (quota.subject, quota.metric, quota.limit, quota.value) == ("channel:ivr", "bytes", "max_message_bytes", 10)
    assert "11" in error.message
    assert await either.unary("Echo", b"") == b""


async def test_a_large_unary_message_costs_no_token(client: Limited) -> None:
    client.allow(permit(call={"max_message_bytes": 1}, calls_per_s=SOON, burst=1))
    for _ in range(3):
        assert (await refusal(client.unary("Echo", b"12"))).reason == "MESSAGE_TOO_LARGE"
    assert await client.unary("Echo", b"1") == b"1"


async def test_a_message_too_large_on_a_stream(client: Limited) -> None:
    before = count("MESSAGE_TOO_LARGE")
    client.allow(permit(call={"max_message_bytes": 10}))
    call = await chatting(client)
    await call.write(b"much too large for it")
    assert (await refusal(call.read())).reason == "MESSAGE_TOO_LARGE"
    await client.toy.saw("cancelled")
    assert count("MESSAGE_TOO_LARGE") == before + 1


async def test_messages_of_a_stream(client: Limited) -> None:
    client.allow(permit(call={"max_stream_messages": 3}))
    call = await chatting(client)
    for _ in range(2):
        await call.write(b"hello")
        assert await call.read() == b"you said hello"
    await call.write(b"one too many")
    error = await refusal(call.read())
    assert (error.reason, error.retry_after) == ("STREAM_MESSAGES_EXHAUSTED", 0)
    (quota,) = error.quotas
    assert (quota.subject, quota.metric, quota.limit, quota.value) == (
        "channel:ivr",
        "messages",
        "max_stream_messages",
        3,
    )
    await client.toy.saw("cancelled")


async def test_as_many_messages_as_allowed_end_well(client: Limited) -> None:
    client.allow(permit(call={"max_stream_messages": 3}))
    assert await client.client_stream("Collect", iter([b"1", b"2", b"3"])) == b"1+2+3"
    error = await refusal(client.client_stream("Collect", iter([b"1", b"2", b"3", b"4"])))
    assert error.reason == "STREAM_MESSAGES_EXHAUSTED"


async def test_a_stream_too_long(client: Limited) -> None:
    client.allow(permit(call={"max_stream_s": 0.5}))
    call = await chatting(client)
    error = await refusal(call.read())
    assert (error.reason, error.retry_after) == ("STREAM_TOO_LONG", 0)
    assert error.quotas == (QuotaViolation("channel:ivr", "at most 0.5 s a stream", "seconds", "max_stream_s", 0),)
    await client.toy.saw("cancelled")


async def test_a_unary_call_may_take_longer_than_a_stream(client: Limited) -> None:
    client.allow(permit(call={"max_stream_s": 0.2}))
    hanging = client.unary("Hang", b"", timeout=1)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await hanging
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED


async def test_without_limits_everything_passes(either: Limited) -> None:
    for _ in range(20):
        assert await either.unary("Echo", b"x") == b"x"
    assert await either.client_stream("Collect", iter([b"1", b"2"])) == b"1+2"
    assert [each async for each in either.server_stream("Count", b"3")] == [b"0", b"1", b"2"]


async def test_a_call_without_a_permit_passes(client: Limited) -> None:
    client.allow(permit(calls_per_s=SOON, burst=1))
    await client.unary("Echo", b"")
    for _ in range(3):
        await client.channel.unary_unary("/grpc.health.v1.Health/Check", as_is, as_is)(b"")


async def test_a_refused_call_does_not_reach_the_backend(client: Limited) -> None:
    client.allow(permit(calls_per_s=SOON, burst=1))
    await client.unary("Echo", b"")
    await refusal(client.bidi("Chat").read())
    assert client.toy.events == []


async def eventually(client: Limited, method: str) -> None:
    """Calls until a place is free: the gateway hears of the end of a call a moment after the toy."""
    async with asyncio.timeout(10):
        while True:
            try:
                await client.unary(method, b"")
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.02)
            else:
                return
