"""Phone calls that open, break, resume and end for a long time: what the gateway and the service keep of them.

So many calls at once run through the gateway over connections that are cut off every few seconds; each call is taken up
again where it was. Memory and descriptors of both processes are sampled while they go on; they must not grow once the
first calls are forgotten (30 s after their end here, unless the environment says otherwise). Fails where an answer is
wrong: every utterance must be answered once, under its own id, and counted in its call's summary.
"""

import argparse
import asyncio
import itertools
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import grpc
import psutil

from bankai.channel import channel_options
from bankai.client.calls import CallClient
from bankai.errors import BankaiError
from bankai.intent.v1 import intent_pb2 as pb
from benchmarks.command import Report, arguments, run, say
from benchmarks.fault_proxy import FaultProxy
from benchmarks.processes import watch_memory
from benchmarks.product import GATEWAY, SERVICE, Product, running
from benchmarks.texts import utterances

NAME = "soak"
KEEP_VARIABLE = "BANKAI_INTENT_SESSIONS__TTL_S"
MAX_SLOPE_MIB_PER_MIN = 1.0
_CONNECTIONS = 10
_CUT_S = 0.2
_OPTIONS = (*channel_options(), ("grpc.use_local_subchannel_pool", 1), ("grpc.max_reconnect_backoff_ms", 500))
_SETTLED_SHARE = 0.3


class Soak:
    """What the calls have seen.

    Args:
        period_s: Seconds between the utterances of a call.
        turns: Utterances of a call.
    """

    def __init__(self, period_s: float, turns: int) -> None:
        self._period_s = period_s
        self._turns = turns
        self._texts = itertools.cycle(utterances())
        self._numbers = itertools.count()
        self.calls = 0
        self.answers = 0
        self.cuts = 0
        self.wrong: Counter[str] = Counter()
        self.failures: Counter[str] = Counter()

    async def caller(self, channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...]) -> None:
        """One call after the other, until cancelled."""
        await asyncio.sleep(random.uniform(0, self._period_s))  # spreads them out
        while True:
            try:
                await self._call(channel, metadata)
            except BankaiError as error:
                self.failures[error.reason] += 1
            except grpc.aio.AioRpcError as error:
                self.failures[error.code().name] += 1

    async def cutter(self, proxies: list[FaultProxy], every_s: float) -> None:
        """Cuts one connection after the other, until cancelled."""
        for proxy in itertools.cycle(proxies):
            await asyncio.sleep(every_s)
            proxy.cut()
            await asyncio.sleep(_CUT_S)
            proxy.mend()
            self.cuts += 1

    async def _call(self, channel: grpc.aio.Channel, metadata: tuple[tuple[str, str], ...]) -> None:
        config = pb.CallConfig(call_id=f"soak-{os.getpid()}-{next(self._numbers)}", channel="benchmark")
        async with CallClient(channel, config, metadata) as call:
            for number in range(self._turns):
                segment = pb.Segment(
                    segment_id=f"s{number}", speaker=pb.SPEAKER_CALLER, text=next(self._texts), is_final=True
                )
                answer = await call.ask(segment)
                self.answers += 1
                if answer.segment_id != segment.segment_id or not answer.analysis.intents:
                    self.wrong["ANSWER"] += 1
                await asyncio.sleep(random.uniform(0.5, 1.5) * self._period_s)  # as people speak
            summary = await call.finish()
        self.calls += 1
        if summary.segment_count != self._turns:
            self.wrong["SUMMARY"] += 1


def main() -> None:
    """Runs the command; exits with 1 where an answer is wrong."""
    parser = arguments(__doc__)
    parser.add_argument("--calls", type=int, default=500, help="calls at once (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=20.0, help="how long (default: %(default)s)")
    parser.add_argument("--period", type=float, default=4.0, help="seconds between utterances (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=10, help="utterances of a call (default: %(default)s)")
    parser.add_argument("--cut-every", type=float, default=5.0, help="seconds between cuts (default: %(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.calls, options.minutes, options.period, options.turns, options.cut_every = 20, 0.15, 0.2, 5, 2.0
    os.environ.setdefault(KEEP_VARIABLE, "30")
    if run(NAME, _measure, options)["wrong"]:
        sys.exit(1)


async def _measure(options: argparse.Namespace) -> Report:
    soak = Soak(options.period, options.turns)
    seconds = options.minutes * 60
    async with running() as product:
        pids = {name: product.pids[name] for name in (GATEWAY, SERVICE)}
        before = _descriptors(pids)
        async with _connected(product) as (channels, proxies), watch_memory(pids) as memory:
            callers = [
                asyncio.create_task(soak.caller(channels[number % _CONNECTIONS], product.gateway.metadata))
                for number in range(options.calls)
            ]
            cutting = asyncio.create_task(soak.cutter(proxies, options.cut_every))
            for minute in range(max(round(options.minutes), 1)):
                await asyncio.sleep(seconds / max(round(options.minutes), 1))
                say(f"minute {minute + 1}: {soak.calls} calls, {soak.answers} answers, {_descriptors(pids)}")
            during = _descriptors(pids)
            for task in (cutting, *callers):
                task.cancel()
            await asyncio.gather(cutting, *callers, return_exceptions=True)
        await asyncio.sleep(3)  # connections that were given up are seen to be gone
        after = _descriptors(pids)
    return {
        "calls_at_once": options.calls,
        "minutes": options.minutes,
        "calls": soak.calls,
        "answers": soak.answers,
        "cuts": soak.cuts,
        "wrong": dict(soak.wrong),
        "failures": dict(soak.failures),
        "max_slope_mib_per_min": MAX_SLOPE_MIB_PER_MIN,
        "memory": memory.report(seconds * _SETTLED_SHARE),
        "descriptors": {"before": before, "during": during, "after": after},
    }


@asynccontextmanager
async def _connected(product: Product) -> AsyncIterator[tuple[list[grpc.aio.Channel], list[FaultProxy]]]:
    """Connections to the gateway that can be cut, each its own."""
    port = int(product.gateway.address.rpartition(":")[2])
    async with AsyncExitStack() as stack:
        proxies = [FaultProxy(port) for _ in range(_CONNECTIONS)]
        channels = []
        for proxy in proxies:
            await stack.enter_async_context(proxy.listening())
            options = (
                *channel_options(),
                ("grpc.use_local_subchannel_pool", 1),
                ("grpc.max_reconnect_backoff_ms", 500),
            )
            channel = grpc.aio.insecure_channel(f"127.0.0.1:{proxy.port}", options)
            channels.append(await stack.enter_async_context(channel))
        yield channels, proxies


def _descriptors(pids: dict[str, int]) -> dict[str, int]:
    return {name: psutil.Process(pid).num_fds() for name, pid in pids.items()}


if __name__ == "__main__":
    main()
