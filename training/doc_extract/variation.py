"""What printers, typists, scanners and recognisers do to a document's text; values keep their places."""

import re
from collections.abc import Callable
from random import Random

from services.doc_extract.text import BREAK, CELL
from training.doc_extract.filling import Filled

_Marked = list[tuple[str, int]]
"""Characters with the number of the value they belong to."""

_FULL = {ord(char): chr(ord(char) + 0xFEE0) for char in "0123456789.,:()%/-"}
_HALF = {ord("："): ":", ord("（"): "(", ord("）"): ")", ord("，"): ",", ord("；"): ";"}
_ALIKE = "〇○ O0 0O 1l l1 ，, 。. ：: 己已 未末 日曰 （( ）) 、, 人入 土士 一- 间问 贷货 柒染 限恨 农衣"
_MISREAD = {pair[0]: pair[1] for pair in _ALIKE.split()}
_WORD = re.compile(r"[A-Za-z0-9]")


class Variation:
    """Makes a new variant of a document at every call; many calls change little.

    Args:
        random: Source of chance.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._steps: tuple[tuple[float, Callable[[_Marked], _Marked]], ...] = (
            (0.15, self._as_lines),
            (0.10, self._half_width),
            (0.06, self._full_width),
            (0.12, self._spaced),
            (0.15, self._misread),
            (0.06, self._without_breaks),
            (0.10, self._from_the_middle),
        )

    def __call__(self, document: Filled) -> Filled:
        """A variant."""
        marked = list(zip(document.text, document.values, strict=True))
        for share, step in self._steps:
            if self._random.random() < share:
                marked = step(marked)
        return Filled("".join(char for char, _ in marked), [value for _, value in marked], document.fields)

    def _as_lines(self, marked: _Marked) -> _Marked:
        """A table's cells as a reader that saw no table gives them."""
        mark = self._random.choice((" ", "：", BREAK, "  ", ""))
        return [(part, value) for char, value in marked for part in (mark if char == CELL else char)]

    def _half_width(self, marked: _Marked) -> _Marked:
        return [(char.translate(_HALF), value) for char, value in marked]

    def _full_width(self, marked: _Marked) -> _Marked:
        return [(char.translate(_FULL), value) for char, value in marked]

    def _spaced(self, marked: _Marked) -> _Marked:
        """Spaces where lines were justified."""
        share = self._random.choice((0.01, 0.04, 0.1))
        out: _Marked = []
        for at, (char, value) in enumerate(marked):
            out.append((char, value))
            behind = marked[at + 1] if at + 1 < len(marked) else ("", -1)
            if self._random.random() < share and not (_WORD.match(char) and _WORD.match(behind[0])):
                out.append((" ", value if value == behind[1] else -1))
        return out

    def _misread(self, marked: _Marked) -> _Marked:
        share = self._random.choice((0.005, 0.02, 0.04))
        out: _Marked = []
        for char, value in marked:
            dice = self._random.random() / share
            if dice < 0.2 and char not in (CELL, BREAK):
                continue
            out.append((_MISREAD.get(char, char) if dice < 3.0 else char, value))
        return out

    def _without_breaks(self, marked: _Marked) -> _Marked:
        return [(char, value) for char, value in marked if char != BREAK]

    def _from_the_middle(self, marked: _Marked) -> _Marked:
        """A passage without the document's beginning, where it says what it is."""
        breaks = [at for at, (char, _) in enumerate(marked) if char == BREAK]
        return marked[self._random.choice(breaks) + 1 :] if breaks else marked
