"""So many phone calls at once, each with an utterance every four seconds or so, through gateway and service.

Every call is a stream; when one ends with its summary, the next begins. Latency runs from the sending of an utterance's
final segment to its answer. Phases, one after the other in the same run:

floor     what the bare model gets through in full batches, and the same load on it, batched as it comes, in the load
          generator's own process
finals    through the gateway, final segments only
partials  the same, with two partial segments before each final one

The load generator shares the machine's cores. Memory is sampled once a second over `finals`. It can only be flat once
the first calls have ended and are forgotten, so the service keeps ended calls for 30 s here unless the environment says
otherwise, and the slope is told from that moment on: with the defaults it takes two minutes to get there.
"""

import argparse
import os
from collections.abc import Mapping

from bankai.settings import load
from benchmarks.bare import BareModel, batched_rate
from benchmarks.callers import Target, Way
from benchmarks.command import Report, arguments, run, say
from benchmarks.isolated import isolated
from benchmarks.paced import PacedLoad, PacedResult, paced
from benchmarks.processes import watch_memory
from benchmarks.product import running
from benchmarks.statistics import milliseconds
from benchmarks.texts import utterances
from services.intent.settings import IntentSettings

NAME = "calls"
KEEP_VARIABLE = "BANKAI_INTENT_SESSIONS__TTL_S"
MAX_P99_MS = 60.0
_SIDE_PHASE_S = 20.0
"""Longest the floor and the partials are measured: they tell latency, which needs no minutes."""


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--calls", type=int, default=500, help="calls at once (default: %(default)s)")
    parser.add_argument("--minutes", type=float, default=1.0, help="length of `finals` (default: %(default)s)")
    parser.add_argument("--period", type=float, default=4.0, help="seconds between utterances (default: %(default)s)")
    parser.add_argument("--turns", type=int, default=20, help="utterances of a call (default: %(default)s)")
    parser.add_argument("--warm-up", type=float, default=10.0, help="seconds before it counts (default: %(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.calls, options.minutes, options.period, options.warm_up = 8, 0.05, 1.0, 1.0
    os.environ.setdefault(KEEP_VARIABLE, "30")
    run(NAME, _measure, options)


async def _measure(options: argparse.Namespace) -> Report:
    seconds = options.minutes * 60
    short = min(seconds, _SIDE_PHASE_S)
    say(f"floor: {options.warm_up + 2 * short:.0f} s")
    capacity = await isolated(batched_rate, utterances(), BareModel().config.max_batch_size, short)
    floor = await isolated(paced, _plan(options, Target(Way.BARE), {}, short))
    async with running() as product:
        target = Target(Way.CALL, product.gateway)
        say(f"finals: {options.warm_up + seconds:.0f} s")
        async with watch_memory(product.pids) as memory:
            finals = await isolated(paced, _plan(options, target, product.pids, seconds))
        say(f"partials: {options.warm_up + short:.0f} s")
        partials = await isolated(paced, _plan(options, target, product.pids, short, hints=True))
    settled_s = options.warm_up + options.turns * options.period + load(IntentSettings).sessions.ttl_s
    floor_answers, answers = milliseconds(floor.finals.durations), _report(finals)
    return {
        "calls": options.calls,
        "period_s": options.period,
        "seconds": seconds,
        "max_p99_ms": MAX_P99_MS,
        "offered_per_s": options.calls / options.period,
        "bare_per_s": capacity,
        "offered_of_bare": options.calls / options.period / capacity,
        "floor": floor_answers,
        "finals": answers,
        "p99_over_floor": _ratio(answers["answer"]["p99_ms"], floor_answers["p99_ms"]),
        "partials": _report(partials),
        "settled_s": settled_s,
        "memory": memory.report(settled_s),
    }


def _plan(
    options: argparse.Namespace, target: Target, pids: Mapping[str, int], seconds: float, *, hints: bool = False
) -> PacedLoad:
    return PacedLoad(
        target=target,
        texts=utterances(),
        calls=options.calls,
        period_s=options.period,
        turns=options.turns,
        hints=hints,
        warm_up_s=options.warm_up,
        seconds=seconds,
        pids=pids,
    )


def _report(result: PacedResult) -> Report:
    finals = result.finals
    report: Report = {
        "answer": milliseconds(finals.durations),
        "sent": finals.sent,
        "lost": finals.lost,
        "failures": dict(finals.failures),
        "calls_made": result.calls,
        "calls_broken": dict(result.broken),
        "sent_late": milliseconds(result.late),
        "cores_used": {name: seconds / finals.seconds for name, seconds in finals.cpu.items()},
    }
    if result.hints_sent:
        report |= {"partials_sent": result.hints_sent, "partial_answer": milliseconds(result.hints)}
    return report


def _ratio(value: float | None, base: float | None) -> float | None:
    return value / base if value is not None and base else None


if __name__ == "__main__":
    main()
