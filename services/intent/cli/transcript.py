"""Reads transcripts of calls: labelled calls in JSON lines, or plain text with a speaker before each line."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bankai.evaluation.inputs import BadInputError, read_jsonl, read_text, text_field
from services.intent.evaluation.gold import AGENT, CALLER
from services.intent.validation import MAX_TEXT

_LINE = re.compile(r"\s*(caller|agent|c|a|客户|坐席)\s*[:：]\s*(.+?)\s*", re.IGNORECASE)
_AGENTS = ("agent", "a", "坐席")


@dataclass(frozen=True)
class Line:
    """What one side of a call says at a time.

    Attributes:
        speaker: CALLER or AGENT.
        text: What it says.
    """

    speaker: str
    text: str


Transcript = tuple[Line, ...]


def read_transcripts(file: Path) -> list[Transcript]:
    """Reads every call of a file: one a line of JSON, or one in a file of plain text.

    Raises:
        BadInputError: The first line that is wrong.
    """
    if read_text(file).lstrip().startswith("{"):
        return read_jsonl(file, _call)
    lines = []
    for number, text in enumerate(read_text(file).split("\n"), start=1):
        if not text.strip():
            continue
        line = parse_line(text)
        if line is None:
            raise BadInputError(file, number, 'must begin with "caller:" or "agent:" (or 客户: or 坐席:)')
        if len(line.text) > MAX_TEXT:
            raise BadInputError(file, number, f"is longer than {MAX_TEXT:,} characters")
        lines.append(line)
    if not lines:
        raise BadInputError(file, None, "holds no line of a call")
    return [tuple(lines)]


def parse_line(text: str) -> Line | None:
    """Reads "caller: ..." or "agent: ..."; None for anything else."""
    match = _LINE.fullmatch(text)
    return Line(AGENT if match[1].lower() in _AGENTS else CALLER, match[2]) if match else None


def _call(row: dict[str, Any]) -> Transcript:
    turns = row.get("turns")
    if not isinstance(turns, list) or not turns:
        raise ValueError("'turns' must be a list of at least one turn")
    lines = []
    for number, turn in enumerate(turns, start=1):
        if not isinstance(turn, dict) or turn.get("speaker") not in (CALLER, AGENT):
            raise ValueError(f"turn {number}: 'speaker' must be {CALLER!r} or {AGENT!r}: {json.dumps(turn)[:80]}")
        try:
            lines.append(Line(turn["speaker"], text_field(turn, "text", max_chars=MAX_TEXT)))
        except ValueError as error:
            raise ValueError(f"turn {number}: {error}") from None
    return tuple(lines)
