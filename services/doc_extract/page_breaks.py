"""Whether a paragraph goes on on the next page."""

import re

import numpy as np

from services.doc_extract.page import Line, Page, Paragraph

_SENTENCE_END = "。；：！？.;:!?"
_ITEM = re.compile(r"\s*(?:第[一二三四五六七八九十百\d]+[条章节]|[（(]?[一二三四五六七八九十\d]{1,3}[)）、.．])")
"""What a new clause begins with."""
_FULL = 0.7
"""Share of a page's width that a full line reaches at least."""
_SHORT = 2.0
"""Heights of a line by which a full line may fall short of the margin."""


def runs_on(page: Page, after: Page) -> bool:
    """Whether a page's last paragraph stops at the margin in mid-sentence, and no clause begins on the next page."""
    if not page.blocks or not after.blocks:
        return False
    last, first = page.blocks[-1], after.blocks[0]
    if not isinstance(last, Paragraph) or not isinstance(first, Paragraph) or not last.lines or not first.lines:
        return False
    line = last.lines[-1]
    if line.text.rstrip()[-1:] in _SENTENCE_END or _ITEM.match(first.lines[0].text):
        return False
    rights = [_right(each) for block in page.blocks if isinstance(block, Paragraph) for each in block.lines]
    height = float(np.nanmax(line.boxes[:, 3]) - np.nanmin(line.boxes[:, 1])) if len(line.boxes) else np.nan
    return bool(_right(line) >= max(*rights, _FULL * page.width) - _SHORT * height)


def _right(line: Line) -> float:
    """Its right edge; NaN, which is never at a margin, where there are no places."""
    return float(np.max(line.boxes[:, 2])) if len(line.boxes) else float("nan")
