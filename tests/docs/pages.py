"""The project's pages, and what is in them."""

import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(page for folder in ("docs", "models", "training") for page in (ROOT / folder).rglob("*.md")),
    ]
)


def name(page: Path) -> str:
    """A page as people call it; for the names of tests."""
    return str(page.relative_to(ROOT))


def rows(page: str) -> Iterator[list[str]]:
    """The cells of every row of a page's tables."""
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("|"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def code(page: Path) -> list[str]:
    """What a page sets as code: the lines of its blocks, without their comments, and the spans in its text."""
    text = page.read_text(encoding="utf-8")
    blocks = re.findall(r"^```\w*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    spans = re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))
    return [*lines, *spans]
