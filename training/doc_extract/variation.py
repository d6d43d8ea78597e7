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
_LETTERS = "甲乙丙丁"
_LETTER = re.compile(
    rf"[{_LETTERS}](?=\s{{0,2}}方|[、，,和与]?[{_LETTERS}])|(?<=[{_LETTERS}])[{_LETTERS}]|(?<=[{_LETTERS}][、，,和与])[{_LETTERS}]"
)
_SAME = (
    "借款人/借款方 贷款人/贷款方 保证人/担保人/担保方 抵押人/抵押方 归还/偿还/清还 逾期/过期/超期 "
    "加收/加计/加付 签订/订立/签署 借款金额/贷款金额 借款期限/贷款期限 借款利率/贷款利率 借款用途/贷款用途 "
    "本合同/本协议/本契约 帐号/账号 帐户/账户 罚息/加息 按季/按月 住所/地址 特此/兹此 同意/决定 申请/请求 "
    "自愿/愿意 期限/时间 约定/规定/商定 届满/期满 金额/数额"
)
"""Words of one length that may stand for one another."""
_SYNONYMS = [words.split("/") for words in _SAME.split()]


class Variation:
    """Makes a new variant of a document at every call; many calls change little.

    Args:
        random: Source of chance.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._steps: tuple[tuple[float, Callable[[_Marked], _Marked]], ...] = (
            (0.5, self._parties_exchanged),
            (0.4, self._reworded),
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

    def _parties_exchanged(self, marked: _Marked) -> _Marked:
        """Who was 甲方 is 乙方 now: which letter a party has says nothing of its role."""
        text = "".join(char for char, _ in marked)
        places = [match.start() for match in _LETTER.finditer(text) if marked[match.start()][1] < 0]
        letters = sorted({text[place] for place in places})
        renamed = dict(zip(letters, self._random.sample(letters, len(letters)), strict=True))
        out = list(marked)
        for place in places:
            out[place] = (renamed[text[place]], -1)
        return out

    def _reworded(self, marked: _Marked) -> _Marked:
        """Some words are others of the same length throughout."""
        text = "".join(char for char, _ in marked)
        out = list(marked)
        for words in self._random.sample(_SYNONYMS, len(_SYNONYMS) // 3):
            old, new = self._random.sample(words, 2)
            for match in re.finditer(old, text):
                if all(value < 0 for _, value in marked[match.start() : match.end()]):
                    out[match.start() : match.end()] = [(char, -1) for char in new]
        return out

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
