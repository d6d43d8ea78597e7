"""Reads what the process logged during a test."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog

from bankai import logging
from bankai.settings import LogSettings


class Logs:
    """The JSON lines on stderr."""

    def __init__(self, capsys: pytest.CaptureFixture[str]) -> None:
        self._capsys = capsys
        self._text = ""

    @property
    def text(self) -> str:
        self._text += self._capsys.readouterr().err
        return self._text

    def lines(self, event: str | None = None) -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in self.text.splitlines()]
        return [line for line in lines if event in (None, line["event"])]


@contextmanager
def logged(capsys: pytest.CaptureFixture[str], **settings: Any) -> Iterator[Logs]:
    logging.configure(LogSettings(**settings), "toy")
    try:
        yield Logs(capsys)
    finally:
        logging.reset()
        structlog.contextvars.clear_contextvars()
