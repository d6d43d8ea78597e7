from pathlib import Path

from bankai.rollout import history
from bankai.rollout.history import FILE, Record


def _record(by: str) -> Record:
    return Record(by=by, action="rollback", before=2, after=1, digest="d")


def test_records_are_kept_in_their_order(tmp_path: Path) -> None:
    assert history.read(tmp_path) == []
    records = [_record("Ada"), _record("陈")]
    for record in records:
        history.append(tmp_path, record)
    assert [record.model_dump() for record in history.read(tmp_path)] == [record.model_dump() for record in records]


def test_a_torn_line_costs_no_other(tmp_path: Path) -> None:
    history.append(tmp_path, _record("Ada"))
    file = tmp_path / FILE
    file.write_bytes(file.read_bytes() + file.read_bytes()[:20])
    history.append(tmp_path, _record("Bob"))
    assert [record.by for record in history.read(tmp_path)] == ["Ada", "Bob"]
