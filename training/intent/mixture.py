"""What the intent network is fitted to, step by step: noisy rows of every source, in fixed shares."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

from training.batching import POOL_BATCHES, alike_in_length
from training.intent.examples import Example
from training.intent.noise import Homophones, Noise


@dataclass(frozen=True)
class Shares:
    """What a batch is made of.

    Attributes:
        batch_rows: Rows of a batch.
        prefixes: Share of the rows that are cut short, as partial transcripts are.
        sources: Share of the rows by source; "corpus" stands for all batches of our own.
    """

    batch_rows: int = 32
    prefixes: float = 0.2
    sources: tuple[tuple[str, float], ...] = (
        ("corpus", 0.70),
        ("banking77", 0.07),
        ("clinc150", 0.08),
        ("multidogo", 0.01),
        ("nlupp", 0.01),
        ("cped", 0.08),
        ("goemotions", 0.05),
    )


class Mixture:
    """An endless stream of noisy batches.

    Args:
        rows: All training rows.
        shares: What a batch is made of.
        seed: Of the sampling and the noise.
    """

    def __init__(self, rows: Sequence[Example], shares: Shares, seed: int) -> None:
        self._random = Random(seed)
        self._shares = shares
        self._noise = Noise(Homophones(row.text for row in rows), self._random)
        named = {name for name, _ in shares.sources}
        self._pools = {
            name: _Pool(
                [row for row in rows if (row.source if row.source in named else "corpus") == name], self._random
            )
            for name in named
        }

    def batches(self) -> Iterator[list[Example]]:
        """Batches of rows of about one length, as a recogniser would have heard them."""
        while True:
            rows = self._draw(POOL_BATCHES * self._shares.batch_rows)
            batches = alike_in_length(rows, self._shares.batch_rows, lambda row: len(row.text))
            for batch in self._random.sample(batches, len(batches)):
                yield [replace(row, text=self._hear(row.text)) for row in batch]

    def _draw(self, count: int) -> list[Example]:
        names, shares = zip(*self._shares.sources, strict=True)
        return [self._pools[name].draw() for name in self._random.choices(names, shares, k=count)]

    def _hear(self, text: str) -> str:
        if self._random.random() < self._shares.prefixes:
            text = self._noise.prefix(text, least=0.5)
        return self._noise(text)


class _Pool:
    """Draws every row once, in random order, before any comes again."""

    def __init__(self, rows: list[Example], random: Random) -> None:
        self._rows = rows
        self._random = random
        self._left: list[Example] = []

    def draw(self) -> Example:
        if not self._left:
            self._left = self._random.sample(self._rows, len(self._rows))
        return self._left.pop()
