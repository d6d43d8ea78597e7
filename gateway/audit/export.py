"""Records of an audit log as a file for other programs."""

import csv
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TextIO

from gateway.audit.lines import Line

Format = Literal["jsonl", "csv"]

COLUMNS = (
    "time",
    "event",
    "channel",
    "credential",
    "method",
    "kind",
    "decision",
    "code",
    "reason",
    "duration_us",
    "peer",
    "request_id",
    "trace_id",
    "requests",
    "request_sha256",
    "answers",
    "answer_sha256",
    "model_version",
    "replayed",
    "opened",
    "chain",
    "sequence",
)
"""Columns of the CSV; the meanings are those of the records."""

# A spreadsheet takes these for the beginning of a formula, and a client chooses its request ids.
_FORMULA = ("=", "+", "-", "@", "\t")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which records to export; None takes all.

    Attributes:
        since: Time of the first one, as the records write it.
        until: Time that all are before.
        channel: Channel.
        method: Full path of the method, or its end, e.g. "Classify".
        code: Name of the status code, e.g. "OK". Records of streams that were opened have none.
    """

    since: str | None = None
    until: str | None = None
    channel: str | None = None
    method: str | None = None
    code: str | None = None

    def takes(self, line: Line) -> bool:
        """Whether to export the line."""
        record = line.record
        return (
            not line.is_checkpoint
            and (self.since is None or record["time"] >= self.since)
            and (self.until is None or record["time"] < self.until)
            and (self.channel is None or record.get("channel") == self.channel)
            and (self.method is None or f"/{record.get('method')}".endswith(f"/{self.method}"))
            and (self.code is None or record.get("code") == self.code)
        )


def write(lines: Iterable[Line], wanted: Wanted, file: TextIO, form: Format) -> int:
    """Writes records.

    Args:
        lines: Lines of the log.
        wanted: Which of them.
        file: Where to.
        form: JSON lines, or CSV with a header.

    Returns:
        How many.
    """
    count = 0
    table = csv.DictWriter(file, COLUMNS, restval="", extrasaction="ignore")
    if form == "csv":
        table.writeheader()
    for line in lines:
        if wanted.takes(line):
            count += 1
            if form == "csv":
                table.writerow(_harmless(line.record))
            else:
                file.write(json.dumps(line.record, ensure_ascii=False) + "\n")
    return count


def _harmless(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
        for name, value in record.items()
    }
