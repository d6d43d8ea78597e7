"""How well lines that were read match those that stand on a page."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Rectangle = tuple[float, float, float, float]
"""Left, top, right, bottom in pixels."""

_OVERLAP = 0.5
"""Share of the smaller of two boxes that must lie in the larger for both to hold the same text."""


@dataclass(frozen=True)
class PlacedText:
    """Text at a place of a page."""

    text: str
    box: Rectangle


@dataclass(frozen=True)
class Score:
    """Counts over lines or pages; they add up.

    Attributes:
        characters: That stand on the page, spaces left out.
        errors: Insertions, deletions and substitutions that make what was read what stands there.
        lines: Groups of lines that stand on the page.
        right: Those of them without an error.
        words: That stand on the page.
        read: Words that were read.
        found: Words that were read and stand on the page.
    """

    characters: int = 0
    errors: int = 0
    lines: int = 0
    right: int = 0
    words: int = 0
    read: int = 0
    found: int = 0

    def __add__(self, other: "Score") -> "Score":
        return Score(*(getattr(self, name) + getattr(other, name) for name in self.__dataclass_fields__))

    @property
    def error_rate(self) -> float:
        """Character error rate."""
        return self.errors / max(1, self.characters)

    @property
    def line_accuracy(self) -> float:
        """Share of lines without an error."""
        return self.right / max(1, self.lines)

    @property
    def word_f1(self) -> float:
        """F1 over words, each page's as a bag: task 2 of ICDAR 2019 SROIE."""
        return 2 * self.found / max(1, self.words + self.read)


def score(truth: Sequence[PlacedText], read: Sequence[PlacedText]) -> Score:
    """Compares one page, whatever the case of letters.

    A printed line may have been read in pieces, and two as one: texts whose boxes overlap are compared together, each
    side from left to right or, where lines of a skewed page overlap, from the top down, whichever fits better. Spaces
    count for words only.

    Args:
        truth: What stands on the page.
        read: What was read.
    """
    total = _words(truth, read)
    for standing, found in _groups(truth, read):
        errors = min(distance(_joined(standing, order), _joined(found, order)) for order in (_across, _down))
        characters = len(_joined(standing, _across))
        total += Score(characters=characters, errors=errors, lines=bool(standing), right=bool(standing) and not errors)
    return total


def distance(one: str, other: str) -> int:
    """Levenshtein's distance."""
    row = list(range(len(other) + 1))
    for place, character in enumerate(one, start=1):
        above, row[0] = row[0], place
        for column, candidate in enumerate(other, start=1):
            above, row[column] = (
                row[column],
                min(row[column] + 1, row[column - 1] + 1, above + (character != candidate)),
            )
    return row[-1]


def _words(truth: Sequence[PlacedText], read: Sequence[PlacedText]) -> Score:
    standing, found = (
        Counter(word for each in texts for word in each.text.casefold().split()) for texts in (truth, read)
    )
    return Score(words=standing.total(), read=found.total(), found=(standing & found).total())


def _groups(truth: Sequence[PlacedText], read: Sequence[PlacedText]) -> list[tuple[list[PlacedText], list[PlacedText]]]:
    """Texts that overlap, directly or through others."""
    groups: list[tuple[list[PlacedText], list[PlacedText]]] = [([each], []) for each in truth]
    for each in read:
        touched = [group for group in groups if any(_same(each.box, other.box) for other in group[0])]
        merged = ([text for group in touched for text in group[0]], [text for group in touched for text in group[1]])
        groups = [group for group in groups if not any(group is other for other in touched)]
        groups.append((merged[0], [*merged[1], each]))
    return groups


def _same(one: Rectangle, other: Rectangle) -> bool:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, other))
    return width > 0 and height > 0 and width * height > _OVERLAP * smaller


def _joined(texts: Sequence[PlacedText], order: Callable[[PlacedText], float]) -> str:
    return "".join("".join(each.text.casefold().split()) for each in sorted(texts, key=order))


def _across(text: PlacedText) -> float:
    return text.box[0]


def _down(text: PlacedText) -> float:
    return text.box[1] + text.box[3]
