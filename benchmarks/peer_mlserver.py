"""Our intent service against MLServer with the same model file, both over gRPC, texts in, probabilities out.

MLServer runs the file in a custom onnxruntime runtime (benchmarks/mlserver_runtime.py) with adaptive batching, as many
threads and the same largest batch as our service. `make bench-peer` installs it. The load generator shares the cores
and asks each for one text at a time in unary calls: IntentService.Classify without the gateway, and ModelInfer.

closed    saturated: a closed loop of callers, in turns (A B A B ...); the ratio is the median of the rounds'
paced     so many calls at once, an utterance each every four seconds or so: latency, and CPU per utterance
"""

import argparse
from collections import Counter
from collections.abc import Sequence

from benchmarks import mlserver_process, product
from benchmarks.callers import Target, Way
from benchmarks.closed_loop import ClosedLoop, closed_loop
from benchmarks.command import Report, arguments, run, say
from benchmarks.isolated import isolated
from benchmarks.load import Load
from benchmarks.paced import PacedLoad, paced
from benchmarks.statistics import milliseconds, paired_ratio
from benchmarks.texts import utterances

NAME = "peer_mlserver"
OURS = product.SERVICE
PEER = mlserver_process.NAME


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--callers", type=int, default=64, help="callers of the closed loop (default: %(default)s)")
    parser.add_argument("--calls", type=int, default=500, help="calls of the paced load (default: %(default)s)")
    parser.add_argument(
        "--period", type=float, default=4.0, help="seconds between a call's texts (default: %(default)s)"
    )
    parser.add_argument("--warm-up", type=float, default=5.0, help="seconds before it counts (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of A B (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement (default: %(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.callers, options.calls, options.rounds, options.seconds = 8, 8, 1, 1.0
        options.period, options.warm_up = 1.0, 1.0
    run(NAME, _measure, options)


async def _measure(options: argparse.Namespace) -> Report:
    closed: dict[str, list[Load]] = {OURS: [], PEER: []}
    even: dict[str, list[Load]] = {OURS: [], PEER: []}
    async with product.running() as ours, mlserver_process.running() as peer:
        targets = {OURS: Target(Way.CLASSIFY, ours.service), PEER: Target(Way.INFER, peer.connection)}
        pids = {OURS: {OURS: ours.pids[product.SERVICE]}, PEER: peer.pids}
        for number in range(options.rounds):
            for name, target in targets.items():
                load = await isolated(
                    closed_loop,
                    ClosedLoop(target, utterances(), options.callers, options.warm_up, options.seconds, pids[name]),
                )
                closed[name].append(load)
                say(f"round {number + 1}, closed: {name} {load.rate:.0f}/s")
            for name, target in targets.items():
                result = await isolated(paced, _paced(options, target, pids[name]))
                even[name].append(result.finals)
                say(f"round {number + 1}, paced: {name} {len(result.finals.durations)} answers")
    return {
        "callers": options.callers,
        "calls": options.calls,
        "period_s": options.period,
        "mlserver_max_batch_time_s": mlserver_process.MAX_BATCH_TIME_S,
        "closed": {name: {"per_s": [load.rate for load in loads]} | _report(loads) for name, loads in closed.items()},
        "paced": {name: _report(loads) for name, loads in even.items()},
        "throughput_ratio": paired_ratio([load.rate for load in closed[OURS]], [load.rate for load in closed[PEER]]),
        "paced_p99_ratio": paired_ratio(_p99s(even[OURS]), _p99s(even[PEER])),
    }


def _paced(options: argparse.Namespace, target: Target, pids: dict[str, int]) -> PacedLoad:
    return PacedLoad(
        target=target,
        texts=utterances(),
        calls=options.calls,
        period_s=options.period,
        turns=20,
        hints=False,
        warm_up_s=options.warm_up,
        seconds=options.seconds,
        pids=pids,
    )


def _report(loads: Sequence[Load]) -> Report:
    return {
        "answer": milliseconds([each for load in loads for each in load.durations]),
        "lost": sum(load.lost for load in loads),
        "failures": dict(sum((load.failures for load in loads), start=Counter())),
        "cpu_ms_per_utterance": loads[-1].cpu_per_answer_ms(),
    }


def _p99s(loads: Sequence[Load]) -> list[float]:
    return [float(milliseconds(load.durations)["p99_ms"] or 0.0) for load in loads]


if __name__ == "__main__":
    main()
