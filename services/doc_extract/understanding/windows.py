"""What the role model reads at a time: a piece of the document, some words before it, and the document's title.

The model never sees a whole contract, and a table's value without its column's header says nothing. So text is cut at
paragraphs and sentences, and the rows of a table with a header are read as "header|value|header|value". Most of a
contract is boilerplate: paragraphs in which nothing can be a value are not read at all.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.doc_extract.candidate import Candidate
from services.doc_extract.text import BREAK, CELL
from services.doc_extract.understanding.rows import Row, rows

BODY_COST = 176.0
"""Size of a window's own text, in estimated tokens."""
_CONTEXT_CHARS = 40
_TITLE_CHARS = 24
_MARKS = str.maketrans({CELL: "|", BREAK: "¶"})
"""The tokenizer would drop what they stand for."""

_CJK = re.compile(r"[\u2e80-\u9fff\uff00-\uffef]")
_SENTENCE = re.compile(r"[^。；;]*[。；;]?")
_TITLE = re.compile(
    r"合同|协议|契约|通知书|审批|批复|决议|纪要|借据|借条|欠条|凭证|清单|(?:保证|担保|抵押|质押|承诺|委托)书|保函|agreement|contract|note|guarant|memo|deed|indenture|letter",
    re.IGNORECASE,
)
_TITLE_LINES = 8
_CUE = re.compile(
    rf"[：:{CELL}_＿]|有限|公司|[支分]行|银行|联社|合作社|信用社|抵押|质押|出质|担保|保证人|质物|用途|用于|用作|因.{{1,20}}[借贷]|"
    r"方式|还本|付息|提款|放款|发放|条件|意见|同意|品种|种类|[编文字卡账帐]号|字第|字.{1,8}号|称[“\"「]|原告|被告|坐落|位于|[A-Za-z]{3}"
)
"""What may stand before or in a name or a text that is a value; figures, dates and codes are known by their form."""


@dataclass(frozen=True, slots=True)
class Window:
    """A piece of text for the model.

    Attributes:
        text: What the model reads.
        origin: For each of its characters the place in the document's text; -1 for what only helps to understand.
    """

    text: str
    origin: NDArray[np.int32]


def title(text: str) -> str:
    """The document's title: the first of its upper lines that names a sort of document; may be empty."""
    for line in text.split(BREAK)[:_TITLE_LINES]:
        stripped = re.sub(r"\s+", "", line) if _CJK.search(line) else line.strip()
        if stripped and len(stripped) <= 60 and _TITLE.search(stripped):
            return stripped[:_TITLE_CHARS]
    return ""


def windows(text: str, labels: Collection[str], candidates: Sequence[Candidate]) -> Iterator[Window]:
    """Cuts a document's text; what may hold a value is in one window's own part.

    Args:
        text: The document's text.
        labels: What fields are called in print, to know a table's header by.
        candidates: What has the form of a value, in the order of the text.
    """
    heading = title(text)
    starts = [candidate.start for candidate in candidates]
    body: list[tuple[int, int]] = []
    cost = 0.0
    for unit in _units(text, labels):
        if isinstance(unit, Window):
            if body:
                yield _window(text, heading, body)
            body, cost = [], 0.0
            yield _titled(heading, unit)
            continue
        start, end = unit
        holds_figures = bisect_right(starts, start - 1) < bisect_right(starts, end - 1)
        if not holds_figures and not _CUE.search(text, start, end):
            continue
        size = _cost(text[start:end])
        if body and cost + size > BODY_COST:
            yield _window(text, heading, body)
            body, cost = [], 0.0
        body.append(unit)
        cost += size
    if body:
        yield _window(text, heading, body)


def _units(text: str, labels: Collection[str]) -> Iterator[tuple[int, int] | Window]:
    """Pieces that are not cut: sentences, short paragraphs, rows; a row below a header comes as a window."""
    for row in rows(text, labels):
        if row.header:
            yield _row(text, row)
        else:
            yield from _sentences(text, row.start, min(len(text), row.end + 1))


def _row(text: str, row: Row) -> Window:
    words: list[str] = []
    origin: list[int] = []
    for name, (start, end) in zip(row.header, row.cells, strict=True):
        words += (name, CELL, text[start:end], CELL)
        origin += [-1] * (len(name) + 1) + list(range(start, end)) + [-1]
    return Window("".join(words), np.array(origin, np.int32))


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cuts a line that is too long at the ends of its sentences, and where that does not help anywhere."""
    if _cost(text[start:end]) <= BODY_COST:
        yield start, end
        return
    for match in _SENTENCE.finditer(text, start, end):
        left, right = match.span()
        while left < right:
            stop = min(right, left + _fitting(text, left, right))
            yield left, stop
            left = stop


def _fitting(text: str, start: int, end: int) -> int:
    """How many characters from start on fit into a window."""
    share = _cost(text[start:end]) / (end - start)
    return max(1, int(BODY_COST / share))


def _cost(text: str) -> float:
    """About how many tokens a text has."""
    wide = len(_CJK.findall(text))
    return 0.8 * wide + 0.4 * (len(text) - wide)


def _window(text: str, heading: str, body: list[tuple[int, int]]) -> Window:
    first = body[0][0]
    before = text[max(0, first - _CONTEXT_CHARS) : first]
    places = [np.arange(start, end, dtype=np.int32) for start, end in body]
    origin = np.concatenate([np.full(len(before), -1, np.int32), *places])
    return _titled(heading, Window(before + "".join(text[start:end] for start, end in body), origin))


def _titled(heading: str, window: Window) -> Window:
    lead = f"{heading}‖"
    return Window(
        (lead + window.text).translate(_MARKS), np.concatenate([np.full(len(lead), -1, np.int32), window.origin])
    )
