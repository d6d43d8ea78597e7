"""Asks in several ways in turns, block by block, so that a slow moment of the machine hits all alike."""

from collections.abc import Awaitable, Callable, Mapping, Sequence

from benchmarks.command import say
from benchmarks.load import Load, Meter
from benchmarks.texts import short_utterances

Ask = Callable[[str], Awaitable[object]]
"""Asks for one text, and returns once the answer is there."""


async def asked_in_turns(ways: Mapping[str, Ask], pids: Mapping[str, int], blocks: int, size: int) -> dict[str, Load]:
    """Asks one short utterance after the other, in every way as often.

    Args:
        ways: The ways by their names.
        pids: The processes to watch by their names.
        blocks: How many blocks to ask in each way, after one that warms it up.
        size: Utterances of a block.

    Returns:
        What was measured, by the way's name.
    """
    shorts = short_utterances()
    texts = [shorts[index % len(shorts)] for index in range(size)]
    totals = {name: Load() for name in ways}
    for ask in ways.values():
        await _block(ask, texts, pids)
    for number in range(blocks):
        for name, ask in ways.items():
            totals[name].add(await _block(ask, texts, pids))
        say(f"block {number + 1} of {blocks}")
    return totals


async def _block(ask: Ask, texts: Sequence[str], pids: Mapping[str, int]) -> Load:
    load = Load()
    meter = Meter(load, pids)
    for text in texts:
        await load.count(ask(text))
    meter.stop()
    return load
