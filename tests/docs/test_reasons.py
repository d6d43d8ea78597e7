"""The reasons of errors: what the code raises is what the pages and the contract tell."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from bankai import errors
from tests.docs.pages import ROOT, rows

# What these raise reaches people as a sentence on a terminal.
_TERMINAL = {"backup", "bulk", "bulk.py", "capacity", "cli", "evaluation", "client", "rollout", "triton_server.py"}
_REASON = re.compile(r"[A-Z]+(?:_[A-Z]+)+|INTERNAL|OVERLOADED")
_IN_TABLE = re.compile(r"`(?!BANKAI_)([A-Z]+(?:_[A-Z]+)*)`")
_PROTO = ROOT / "protos" / "bankai" / "intent" / "v1" / "intent.proto"


def _raised(folder: str) -> dict[str, set[str]]:
    """Each reason that the code below a folder gives, with the statuses that it gives it."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for file in (ROOT / folder).rglob("*.py"):
        if "_pb2" not in file.name and _TERMINAL.isdisjoint(file.relative_to(ROOT).parts):
            for kind, reason in _errors(file):
                cls = getattr(errors, kind, None)
                found[reason] |= {cls.code.name} if cls is not None else set()
    return found


def _errors(file: Path) -> Iterator[tuple[str, str]]:
    """The class and the reason of every error that a file makes: `SomeError("REASON", ...)`, or the two in a tuple."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            made, reason = node.func, node.args[0]
        elif isinstance(node, ast.Tuple) and len(node.elts) > 1:
            made, reason = node.elts[:2]
        else:
            continue
        kind = made.id if isinstance(made, ast.Name) else made.attr if isinstance(made, ast.Attribute) else ""
        if kind in {"environment", "setdefault"}:  # their arguments are names of variables
            continue
        if isinstance(reason, ast.Constant) and isinstance(reason.value, str) and _REASON.fullmatch(reason.value):
            yield kind, reason.value


def _told(page: str) -> dict[str, str]:
    """Each reason of a page's tables with the cell beside it."""
    return {reason: row[1] for row in rows(page) for reason in _IN_TABLE.findall(row[0])}


@pytest.fixture(scope="module")
def raised() -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for folder in ("bankai", "gateway", "services"):
        for reason, statuses in _raised(folder).items():
            found[reason] |= statuses
    return found


def _told_to_callers() -> dict[str, str]:
    pages = [ROOT / "docs" / f"{name}.md" for name in ("ivr", "doc_extract", "progress_monitor", "security", "console")]
    pages += sorted((ROOT / "docs" / "gateway").glob("*.md"))
    return {reason: cell for page in pages for reason, cell in _told(str(page.relative_to(ROOT))).items()}


def test_every_reason_is_told_and_every_reason_told_is_raised(raised: dict[str, set[str]]) -> None:
    told = {*_told_to_callers(), *_told("docs/settings.md")}
    assert (set(raised) - told, told - set(raised)) == (set(), set())


def test_reasons_are_told_with_their_status(raised: dict[str, set[str]]) -> None:
    told = _told_to_callers()
    operators = _told("docs/settings.md")
    wrong = {
        reason: statuses
        for reason, statuses in raised.items()
        if reason not in operators and not all(status in told[reason] for status in statuses)
    }
    # A segment that is refused does not end its stream: its errors are told as `rejected`.
    assert all("`rejected`" in told[reason] for reason in wrong), wrong


def test_the_contract_lists_the_reasons_of_its_service() -> None:
    comment = " ".join(
        line.removeprefix("//").strip()
        for line in _PROTO.read_text(encoding="utf-8").split("service IntentService")[0].splitlines()
        if line.startswith("//")
    )
    listed = {word for word in re.findall(r"[A-Z_]+", comment) if _REASON.fullmatch(word)}
    assert listed == set(_raised("services/intent")) - set(_told("docs/settings.md"))
