"""What stands in the margins of pages and belongs to no sentence: page numbers, running heads and feet."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from services.doc_extract.page import Block, Page, Paragraph

_MARGIN = 0.1
"""Share of a page's height, above and below."""
_REPEATED = 3
"""Pages on which the same must stand, but for figures, to be a running head."""
_OFTEN = 0.6
"""Share of the pages on which it must stand."""
_NUMBER = re.compile(
    r"第\s*\d+\s*页(?:\s*[/,，共]*\s*共?\s*\d+\s*页)?|[-–—·]?\s*\d{1,3}\s*[-–—·]?|\d{1,3}\s*/\s*\d{1,3}|page\s*\d+(?:\s*of\s*\d+)?",
    re.IGNORECASE,
)
_FIGURES = re.compile(r"\d+")


def without_margins(pages: Sequence[Page]) -> tuple[Page, ...]:
    """The pages without page numbers, and without what most of them repeat in a margin."""
    if len(pages) < 2:
        return tuple(pages)
    repeated = Counter(said for page in pages for said in {_said(page.blocks[at]) for at in _in_margin(page)})
    least = max(_REPEATED, _OFTEN * len(pages))
    return tuple(_freed(page, {said for said, count in repeated.items() if count >= least}) for page in pages)


def _freed(page: Page, repeated: set[str]) -> Page:
    dropped = {
        at
        for at in _in_margin(page)
        if _said(page.blocks[at]) in repeated or _NUMBER.fullmatch(_text(page.blocks[at]).strip())
    }
    if not dropped:
        return page
    return replace(page, blocks=[block for at, block in enumerate(page.blocks) if at not in dropped])


def _in_margin(page: Page) -> Iterator[int]:
    """Places of the page's paragraphs that stand in a margin as a whole."""
    for at, block in enumerate(page.blocks):
        if not isinstance(block, Paragraph) or not block.lines or not page.height:
            continue
        top = min(float(np.nanmin(line.boxes[:, 1])) for line in block.lines)
        bottom = max(float(np.nanmax(line.boxes[:, 3])) for line in block.lines)
        if bottom <= _MARGIN * page.height or top >= (1 - _MARGIN) * page.height:
            yield at


def _said(block: Block) -> str:
    """Its text with every figure alike."""
    return _FIGURES.sub("#", "".join(_text(block).split()))


def _text(block: Block) -> str:
    return "".join(line.text for line in block.lines) if isinstance(block, Paragraph) else ""
