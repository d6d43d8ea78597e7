"""Links lead somewhere, and commands exist."""

import re
from importlib.util import find_spec
from pathlib import Path

import pytest
from typer.main import get_command

from bankai.cli.app import build
from tests.docs.pages import PAGES, ROOT, code, name

_LINK = re.compile(r"\]\((?!https?://|#)([^)#\s]+)")
_BANKAI = re.compile(r"^(?:BANKAI_\w+=\S+ )?bankai((?: [a-z][a-z-]*)*)(?= |$)")
_MAKE = re.compile(r"\bmake ([a-z-]+)")
_MODULE = re.compile(r"\bpython -m ([\w.]+)")
_FILE = re.compile(r"(?<![\w./$-])(?:examples|training|benchmarks|requirements|docs|protos|services|tools)/[\w./-]*\w")


def _makes() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_relative_links_resolve(page: Path) -> None:
    broken = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if not (page.parent / link).exists()]
    assert not broken


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_commands_exist(page: Path) -> None:
    for text in code(page):
        if match := _BANKAI.match(text):
            _follow(match[1].split())
        assert set(_MAKE.findall(text)) <= _makes(), text
        for module in _MODULE.findall(text):
            assert find_spec(module), text


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_files_exist(page: Path) -> None:
    named = {file for text in code(page) for file in _FILE.findall(text)}
    assert not [file for file in named if not (ROOT / file).exists()]


def _follow(words: list[str]) -> None:
    """Goes down the tree of commands as far as groups go."""
    command: object = get_command(build())
    for word in words:
        below = getattr(command, "commands", None)
        if below is None:  # an argument of a command
            return
        assert word in below, f"bankai {' '.join(words)}"
        command = below[word]
