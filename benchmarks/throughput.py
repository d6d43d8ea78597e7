"""Saturated throughput: utterances a second through gateway and service, against the bare model.

A, the floor: onnxruntime alone on full batches that were encoded beforehand, with as many threads as the service has.
B: a closed loop of callers through the gateway, as streams of calls and as unary Classify.
They are measured in turns (A B A B ...), so that a slow moment of the machine hits all alike; the ratio is the median
of the rounds'. The load generator shares the machine's cores in B.
"""

import argparse
from collections import Counter
from collections.abc import Sequence

from benchmarks.bare import BareModel, batched_rate
from benchmarks.callers import Target, Way
from benchmarks.closed_loop import ClosedLoop, closed_loop
from benchmarks.command import Report, arguments, run, say
from benchmarks.isolated import isolated
from benchmarks.load import Load
from benchmarks.product import Product, running
from benchmarks.statistics import milliseconds, paired_ratio
from benchmarks.texts import utterances

NAME = "throughput"
WAYS = (Way.CALL, Way.CLASSIFY)
TARGET_RATIO = 0.70
_WARM_UP_S = 1.0


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--callers", type=int, default=64, help="callers at the same time (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=4, help="rounds of A B B (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=10.0, help="of each measurement (default: %(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.callers, options.rounds, options.seconds = 8, 1, 1.0
    run(NAME, _measure, options)


async def _measure(options: argparse.Namespace) -> Report:
    texts = utterances()
    rows = BareModel().config.max_batch_size
    floor: list[float] = []
    loads: dict[Way, list[Load]] = {way: [] for way in WAYS}
    async with running() as product:
        for number in range(options.rounds):
            floor.append(await isolated(batched_rate, texts, rows, options.seconds))
            say(f"round {number + 1}: bare {floor[-1]:.0f}/s")
            for way in WAYS:
                load = await isolated(closed_loop, _plan(product, way, texts, options))
                loads[way].append(load)
                say(f"round {number + 1}: {way} {load.rate:.0f}/s")
    return {
        "callers": options.callers,
        "rounds": options.rounds,
        "seconds": options.seconds,
        "bare_batch_rows": rows,
        "bare_per_s": floor,
        "target_ratio": TARGET_RATIO,
    } | {way: _report(loads[way], floor) for way in WAYS}


def _plan(product: Product, way: Way, texts: Sequence[str], options: argparse.Namespace) -> ClosedLoop:
    return ClosedLoop(
        target=Target(way, product.gateway),
        texts=texts,
        callers=options.callers,
        warm_up_s=_WARM_UP_S,
        seconds=options.seconds,
        pids=product.pids,
    )


def _report(loads: Sequence[Load], floor: Sequence[float]) -> Report:
    rates = [load.rate for load in loads]
    return {
        "per_s": rates,
        "ratio": paired_ratio(rates, floor),
        "lost": sum(load.lost for load in loads),
        "failures": dict(sum((load.failures for load in loads), start=Counter())),
        "answer": milliseconds([each for load in loads for each in load.durations]),
        "cpu_ms_per_utterance": loads[-1].cpu_per_answer_ms(),
    }


if __name__ == "__main__":
    main()
