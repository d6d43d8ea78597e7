"""Which file of a chain is due to be erased because of its age."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from gateway.audit.files import chains_in, last_line_of
from gateway.audit.lines import PRUNED, ROTATION, parse

_DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Due:
    """A file that is due.

    Attributes:
        path: The file.
        number: Which of the chain's.
        last_sequence: Place of its last line in the chain.
        last_hash: Hash of that: what the line after it holds as its previous one.
    """

    path: Path
    number: int
    last_sequence: int
    last_hash: str

    def record(self) -> Mapping[str, Any]:
        """What the log says of it, without a time: who verifies the log knows by this that the file may be gone."""
        return {
            "event": PRUNED,
            "file": self.number,
            "last_hash": self.last_hash,
            "last_sequence": self.last_sequence,
        }


def due(folder: Path, chain: str, retention_days: float) -> Due | None:
    """The oldest file of a chain, where it is full and its last line is older than the log is kept.

    One that does not end as the log ends a full file stays, for whoever verifies the log.

    Args:
        folder: Folder of the log.
        chain: Id of the chain.
        retention_days: How long it is kept.

    Raises:
        OSError: The folder or the file cannot be read.
    """
    (number, path), *later = chains_in(folder).get(chain) or [(0, folder)]
    if not later:
        return None
    try:
        line = parse(last_line_of(path))
    except ValueError:
        return None
    if not line.intact or line.record.get("why") != ROTATION:
        return None
    age_s = time.time() - datetime.fromisoformat(line.record["time"]).astimezone(UTC).timestamp()
    return Due(path, number, line.sequence, line.hash) if age_s > retention_days * _DAY_S else None
