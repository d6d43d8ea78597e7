"""Latency and CPU of one 20-character utterance, one at a time, on one thread.

bare                the model's onnxruntime session alone, the text encoded beforehand: the floor
embedded            the embedded backend in this process, encoded beforehand
direct, gateway     Classify at the service, and through the gateway; text in, answer out
direct_call, call   a final segment on a call's stream at the service, and through the gateway
partial_bare, partial_embedded, partial_call
                    the same for the small model that answers partial segments

They are measured in turns, block by block, so that a slow moment of the machine hits all alike. CPU is that of the
server processes per utterance; the gateway's share is what going through it adds to the direct call's. The service runs
its model on one thread, whatever the environment says.
"""

import argparse
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

import uvloop

from bankai.inference import open_backend
from bankai.settings import load as load_settings
from benchmarks.bare import BareModel
from benchmarks.callers import Target, Way, dialled
from benchmarks.command import Report, arguments, run
from benchmarks.isolated import isolated
from benchmarks.load import GENERATOR, Load
from benchmarks.product import GATEWAY, SERVICE, Product, running
from benchmarks.statistics import milliseconds
from benchmarks.texts import SHORT_CHARS
from benchmarks.turns import Ask, asked_in_turns
from services.intent.classifier import FULL_MODEL, PARTIAL_MODEL
from services.intent.settings import IntentSettings

NAME = "latency"
THREADS_VARIABLE = "BANKAI_INTENT_INFERENCE__THREADS"
MAX_FILE_MB = 40.0
MAX_P50_MS = 5.0
MAX_GATEWAY_SHARE = 0.25
_TIMEOUT_S = 30.0


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--blocks", type=int, default=20, help="blocks of each way (default: %(default)s)")
    parser.add_argument("--block", type=int, default=50, help="utterances of a block (default: %(default)s)")
    options = parser.parse_args()
    if options.quick:
        options.blocks, options.block = 1, 60  # CPU time is told in hundredths of a second
    os.environ[THREADS_VARIABLE] = "1"
    run(NAME, _measure, options)


async def _measure(options: argparse.Namespace) -> Report:
    models = {name: BareModel(name) for name in (FULL_MODEL, PARTIAL_MODEL)}
    async with running() as product:
        loads = await isolated(in_turns, product, options.blocks, options.block)
    answers = {name: milliseconds(load.durations) for name, load in loads.items()}
    return {
        "chars": SHORT_CHARS,
        "file_mb": {name: model.file_mb for name, model in models.items()},
        "max_file_mb": MAX_FILE_MB,
        "max_p50_ms": MAX_P50_MS,
        "answers": answers,
        "p50_over_bare_ms": {name: _over(answers, name) for name in answers},
        "failures": sum(load.lost for load in loads.values()),
        "max_gateway_added_cpu_share": MAX_GATEWAY_SHARE,
        "cpu_unary": _cpu(loads["direct"], loads["gateway"]),
        "cpu_stream": _cpu(loads["direct_call"], loads["call"]),
    }


def _over(answers: Mapping[str, Mapping[str, float | int | None]], name: str) -> float | None:
    floor = answers["partial_bare" if name.startswith("partial") else "bare"]["p50_ms"]
    value = answers[name]["p50_ms"]
    return None if value is None or floor is None else value - floor


def _cpu(direct: Load, through: Load) -> Report:
    alone, both = (load.cpu_per_answer_ms() for load in (direct, through))
    return {
        "cpu_ms_direct": alone,
        "cpu_ms_through_gateway": both,
        "gateway_added_cpu_share": (both[SERVICE] + both[GATEWAY]) / alone[SERVICE] - 1,
        "gateway_own_cpu_share": both[GATEWAY] / alone[SERVICE],
        "cpu_ms_client": both[GENERATOR],
    }


def in_turns(product: Product, blocks: int, size: int) -> dict[str, Load]:
    """Asks in every way, block by block; takes over this process's event loop.

    Args:
        product: The running product.
        blocks: How many blocks to ask each way.
        size: Utterances of a block.

    Returns:
        What was measured, by the way's name.
    """
    return uvloop.run(_in_turns(product, blocks, size))


async def _in_turns(product: Product, blocks: int, size: int) -> dict[str, Load]:
    async with _ways(product) as ways:
        return await asked_in_turns(ways, product.pids, blocks, size)


@asynccontextmanager
async def _ways(product: Product) -> AsyncIterator[dict[str, Ask]]:
    async with AsyncExitStack() as stack:
        direct = await dialled(stack, Target(Way.CLASSIFY, product.service))
        through = await dialled(stack, Target(Way.CLASSIFY, product.gateway))
        direct_call = await dialled(stack, Target(Way.CALL, product.service))
        call = await dialled(stack, Target(Way.CALL, product.gateway))
        backend = open_backend(load_settings(IntentSettings).inference)
        stack.push_async_callback(backend.close)
        full, partial = BareModel(FULL_MODEL), BareModel(PARTIAL_MODEL)

        def bare(model: BareModel) -> Ask:
            async def ask(text: str) -> None:
                model.run(model.encode(text))

            return ask

        def embedded(model: BareModel) -> Ask:
            async def ask(text: str) -> None:
                await backend.infer(model.name, model.encode(text), timeout=_TIMEOUT_S)

            return ask

        yield {
            "bare": bare(full),
            "embedded": embedded(full),
            "direct": direct.ask,
            "gateway": through.ask,
            "direct_call": direct_call.ask,
            "call": call.ask,
            "partial_bare": bare(partial),
            "partial_embedded": embedded(partial),
            "partial_call": call.hint,
        }


if __name__ == "__main__":
    main()
