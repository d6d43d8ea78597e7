"""What the capacity model predicts for this machine, and what really happens, with so many calls at once.

At a few calls at once, and in a closed loop, it measures what a segment costs alone and among others. From these two
it simulates what lies between (bankai/capacity/calls.py), and then lets so many call: cores used and latency, level by
level. It predicts for a machine of its own; `others_cores` says what others took of it meanwhile, which costs latency.
Before that: how long each process takes to start.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import grpc
import psutil

from bankai.capacity.calls import CallCosts, CallLoad, CallOutcome, simulate
from bankai.cli.connection import Connection
from bankai.cli.stack import plan
from bankai.cli.supervisor import Supervisor
from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc
from benchmarks.bare import BareModel
from benchmarks.callers import Target, Way
from benchmarks.closed_loop import ClosedLoop, closed_loop
from benchmarks.command import Report, arguments, run, say
from benchmarks.isolated import isolated
from benchmarks.load import GENERATOR, Load
from benchmarks.paced import PacedLoad, PacedResult, paced
from benchmarks.product import GATEWAY, SERVICE, running
from benchmarks.statistics import milliseconds
from benchmarks.texts import utterances

NAME = "capacity"
_PARTIALS = 2
"""What `paced` sends before each final segment when it hints."""
_PROCESSES = {"gateway": GATEWAY, "intent": SERVICE, "others": GENERATOR}
"""Processes as the simulation calls them."""
_TURNS = 20
_TEXTS_OF_BYTES = 50


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--calls", type=int, nargs="+", default=[100, 400, 800], help="calls at once, level by level")
    parser.add_argument("--period", type=float, default=4.0, help="seconds between utterances (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=20.0, help="of each measurement (default: %(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.calls, options.period, options.seconds = [8], 1.0, 2.0
    run(NAME, _measure, options)


async def _measure(options: argparse.Namespace) -> Report:
    starts = await _starts()
    model_s = await isolated(_model_seconds, 20 if options.quick else 400)
    async with running() as product:
        target = Target(Way.CALL, product.gateway)
        sizes = await _bytes(product.gateway)
        few = max(1, options.calls[0] // 2)
        plain, *_ = await _paced(options, target, product.pids, few, hints=False)
        hinted, *_ = await _paced(options, target, product.pids, few, hints=True)
        most = ClosedLoop(target, utterances(), 64, options.seconds / 4, options.seconds, product.pids)
        say(f"as many as there can be: {options.seconds * 1.25:.0f} s")
        costs = _costs(plain, hinted, await isolated(closed_loop, most), model_s)
        say(f"costs in ms: {_in_ms(costs)}")
        levels = [
            await _level(
                options, target, product.pids, costs, CallLoad(calls, options.period, partials, options.seconds)
            )
            for calls in options.calls
            for partials in (0, _PARTIALS)
        ]
    return {
        "starts_s": starts,
        "costs_ms": _in_ms(costs),
        "together": costs.together,
        "bytes": sizes,
        "levels": levels,
    }


async def _starts() -> dict[str, float]:
    """Seconds from each process's command to its health's SERVING, one after the other."""
    seconds = {}
    with tempfile.TemporaryDirectory(prefix="bankai-capacity-") as folder:
        for process in plan(0, Path(folder)).processes:
            began = time.perf_counter()
            alone = replace(process, services=[""] if process.name == GATEWAY else process.services)
            async with Supervisor([alone], lambda _name, _line: None) as supervisor:
                await supervisor.started()
                seconds[process.name] = time.perf_counter() - began
                await supervisor.drain()
    return seconds


def _model_seconds(rows: int) -> float:
    """CPU of one row of the bare model, in seconds, over the texts as they come."""
    model = BareModel()
    inputs = [model.encode(text) for text in utterances()[:rows]]
    for each in inputs[:20]:
        model.run(each)
    began = time.process_time()
    for each in inputs:
        model.run(each)
    return (time.process_time() - began) / len(inputs)


def _costs(plain: PacedResult, hinted: PacedResult, most: Load, model_s: float) -> CallCosts:
    final = {name: ms / 1000 for name, ms in plain.finals.cpu_per_answer_ms().items()}
    both = {name: ms / 1000 for name, ms in hinted.finals.cpu_per_answer_ms().items()}
    partial = {name: max(0.0, both[name] - final[name]) / _PARTIALS for name in final}
    among = {name: ms / 1000 / final[name] for name, ms in most.cpu_per_answer_ms().items()}
    return CallCosts(
        gateway=final[GATEWAY],
        loop=max(0.0, final[SERVICE] - model_s),
        model=min(model_s, final[SERVICE]),
        gateway_partial=partial[GATEWAY],
        loop_partial=partial[SERVICE],
        others=final[GENERATOR],
        others_partial=partial[GENERATOR],
        together={name: min(1.0, among[process]) for name, process in _PROCESSES.items()},
    )


async def _level(
    options: argparse.Namespace, target: Target, pids: Mapping[str, int], costs: CallCosts, load: CallLoad
) -> Report:
    result, others = await _paced(options, target, pids, load.calls, hints=bool(load.partials))
    predicted = simulate(load, costs, cores=psutil.cpu_count() or 1)
    finals = result.finals
    return {
        "calls": load.calls,
        "partials": load.partials,
        "others_cores": others,
        "lost": finals.lost,
        "predicted": _predicted(predicted),
        "measured": {
            "cores": {name: finals.cpu[name] / finals.seconds for name in (GATEWAY, SERVICE)},
            "per_s": finals.rate,
            "answer": milliseconds(finals.durations),
        },
    }


def _predicted(outcome: CallOutcome) -> Report:
    return {
        "cores": {name: outcome.cores(name) for name in (GATEWAY, SERVICE)},
        "per_s": len(outcome.waits) / outcome.seconds,
        "answer": milliseconds(outcome.waits),
    }


async def _paced(
    options: argparse.Namespace, target: Target, pids: Mapping[str, int], calls: int, *, hints: bool
) -> tuple[PacedResult, float]:
    """What came of so many calls, and how many cores others used meanwhile."""
    warm_up_s = options.period + options.seconds / 4
    load = PacedLoad(target, utterances(), calls, options.period, _TURNS, hints, warm_up_s, options.seconds, pids)
    say(f"{calls} calls at once{', partials' if hints else ''}: {warm_up_s + options.seconds:.0f} s")
    measuring = asyncio.create_task(isolated(paced, load))
    await asyncio.sleep(warm_up_s)
    before, began = _busy(pids), time.perf_counter()
    result = await measuring
    seconds = time.perf_counter() - began
    generator = result.finals.cpu[GENERATOR] * seconds / result.finals.seconds
    return result, _others(before, _busy(pids), generator, seconds)


def _busy(pids: Mapping[str, int]) -> tuple[float, float]:
    """CPU seconds of the whole machine, and of our processes, so far."""
    times = psutil.cpu_times()
    ours = sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids.values())
    return sum(times) - times.idle - times.iowait - times.guest - times.guest_nice, ours


def _others(before: tuple[float, float], after: tuple[float, float], generator_s: float, seconds: float) -> float:
    all_of_it, ours = after[0] - before[0], after[1] - before[1]
    return max(0.0, all_of_it - ours - generator_s) / seconds


async def _bytes(connection: Connection) -> dict[str, float]:
    """Mean size of a final segment and of its answer, in bytes of protobuf."""
    texts = utterances()[:_TEXTS_OF_BYTES]
    async with grpc.aio.insecure_channel(connection.address) as channel:
        stub: Any = intent_pb2_grpc.IntentServiceStub(channel)
        stream: Any = stub.StreamCall(metadata=connection.metadata)
        await stream.write(pb.StreamCallRequest(config=pb.CallConfig(call_id="bytes", channel="benchmark")))
        asked = answered = 0
        for number, text in enumerate(texts):
            segment = pb.Segment(segment_id=f"s{number}", speaker=pb.SPEAKER_CALLER, text=text, is_final=True)
            request = pb.StreamCallRequest(segment=segment)
            asked += request.ByteSize()
            await stream.write(request)
            while (answer := await stream.read()).WhichOneof("message") != "analysis":
                pass
            answered += answer.ByteSize()
        stream.cancel()
    return {"final": asked / len(texts), "answer": answered / len(texts)}


def _in_ms(costs: CallCosts) -> dict[str, float]:
    return {name: 1000 * value for name, value in vars(costs).items() if name != "together"}


if __name__ == "__main__":
    main()
