"""history.jsonl: what was done to the versions of a model, and why. One JSON object a line, only ever added to."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

FILE = "history.jsonl"


class Judged(BaseModel):
    """One evaluation that a decision rests on.

    Attributes:
        command: The evaluation, e.g. "intent".
        data: Name of the file or folder judged on.
        sha256: Digest of its contents.
        serving: The gate's metrics of the version in service.
        candidate: The same of the candidate.
        problems: Why the candidate must not pass; empty where it may.
    """

    model_config = ConfigDict(frozen=True)

    command: str
    data: str
    sha256: str
    serving: Mapping[str, float | None]
    candidate: Mapping[str, float | None]
    problems: tuple[str, ...] = ()


class Record(BaseModel):
    """One thing that was done.

    Attributes:
        at: When.
        by: Who.
        action: "promote" and "rollback" are written before config.pbtxt is changed; "failed" when such a change was
            taken back; "refuse" when the gate did not let a candidate pass.
        before: Version that was served.
        after: Version to be served from then on; None where a candidate never became one.
        digest: Digest of that version or candidate.
        evaluations: What a promotion or a refusal rests on.
        problem: Why something failed.
    """

    model_config = ConfigDict(frozen=True, populate_by_name=True)

    at: datetime = Field(default_factory=lambda: datetime.now(UTC))
    by: str
    action: Literal["promote", "rollback", "refuse", "failed"]
    before: int = Field(alias="from")
    after: int | None = Field(alias="to")
    digest: str
    evaluations: tuple[Judged, ...] = ()
    problem: str = ""


def append(model_dir: Path, record: Record) -> None:
    """Adds a record, onto the disk."""
    line = record.model_dump_json(by_alias=True) + "\n"
    file = model_dir / FILE
    handle = os.open(file, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        size = os.fstat(handle).st_size
        # A line that a crash has torn must not take this one along.
        torn = size > 0 and os.pread(handle, 1, size - 1) != b"\n"
        os.write(handle, b"\n" * torn + line.encode())
        os.fsync(handle)
    finally:
        os.close(handle)


def read(model_dir: Path) -> list[Record]:
    """Every record, oldest first; a line that a crash has torn is left out."""
    try:
        lines = (model_dir / FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    records = []
    for line in lines:
        try:
            records.append(Record.model_validate_json(line))
        except ValidationError:
            continue
    return records
