"""Old files go, and the log says so; what goes without that is found."""

import time
from pathlib import Path

import pytest

from gateway.audit.files import torn_of
from gateway.audit.lines import Line, encode, join, parse
from gateway.audit.log import AuditLog
from gateway.audit.settings import AuditSettings
from tests.gateway.audit.conftest import Keys, records
from tests.gateway.audit.test_verification import files_of, findings, write_log

DAY_S = 86_400.0
TEN_DAYS_AGO = time.time() - 10 * DAY_S


@pytest.fixture
def settings(keys: Keys, tmp_path: Path) -> AuditSettings:
    return AuditSettings(folder=tmp_path / "audit", key=keys.private, checkpoint_records=7, max_file_bytes=1500)


@pytest.fixture
def old(settings: AuditSettings, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Lines of a log of many files that was written ten days ago."""
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: TEN_DAYS_AGO)
        return write_log(settings, 40)


def pruned(settings: AuditSettings, days: float) -> None:
    """Starts a process that keeps the log for some days, and ends it."""
    log = AuditLog(settings.model_copy(update={"retention_days": days}))
    log.tend()
    log.close()


def test_old_files_go_and_the_log_is_sound(settings: AuditSettings, keys: Keys, old: list[bytes]) -> None:
    before = files_of(settings.folder)
    torn_of(before[0][1]).touch()
    kept = [line for line in map(parse, old) if line.is_checkpoint]
    pruned(settings, 9)
    after = files_of(settings.folder)
    assert len(before) > 4
    assert after[0][0] == before[-1][0]  # the last one is never full
    assert [record["file"] for record in records(settings.folder, "pruned")] == [number for number, _ in before[:-1]]
    assert not list(settings.folder.glob("*.torn"))
    found = findings(settings.folder, keys, kept)
    assert found.problems == []
    pruned(settings, 9)  # nothing more is due
    assert files_of(settings.folder) == after
    assert findings(settings.folder, keys, kept).problems == []


def test_no_checkpoint_is_missing_before_it(settings: AuditSettings, keys: Keys, old: list[bytes]) -> None:
    assert old
    log = AuditLog(settings.model_copy(update={"max_file_bytes": 1 << 20}))
    for _ in range(settings.checkpoint_records):
        log.record({"event": "ended", "time": "2026-01-01T00:00:00.000000Z"})
    log.prune(9)
    log.close()
    assert findings(settings.folder, keys).problems == []


def test_young_files_stay(settings: AuditSettings, old: list[bytes]) -> None:
    before = files_of(settings.folder)
    assert old
    pruned(settings, 11)
    assert files_of(settings.folder) == before
    assert records(settings.folder, "pruned") == []


def test_what_is_kept_of_a_chain_is_verified_as_ever(settings: AuditSettings, keys: Keys, old: list[bytes]) -> None:
    pruned(settings, 9)
    assert old
    (_, file), *_ = files_of(settings.folder)
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join([*lines[:2], *lines[3:]]))
    assert findings(settings.folder, keys).problems


def test_what_goes_without_being_told_is_found(settings: AuditSettings, keys: Keys, old: list[bytes]) -> None:
    first, second, *_ = (file for _, file in files_of(settings.folder))
    assert old
    first.unlink()
    told = [problem.what for problem in findings(settings.folder, keys).problems]
    assert first.name in told[0]
    second.unlink()
    assert len(findings(settings.folder, keys).problems) == 3


def test_nobody_can_say_it_without_the_key(settings: AuditSettings, keys: Keys, old: list[bytes]) -> None:
    assert old
    (_, first), *later = files_of(settings.folder)
    gone = parse(first.read_bytes().splitlines(keepends=True)[-1])
    last_file = later[-1][1]
    last = parse(last_file.read_bytes().splitlines(keepends=True)[-1])
    says = {
        "chain": last.record["chain"],
        "event": "pruned",
        "file": 1,
        "last_hash": gone.hash,
        "last_sequence": gone.sequence,
        "previous": last.hash,
        "sequence": last.sequence + 1,
        "time": "2026-01-01T00:00:00.000000Z",
    }
    first.unlink()
    whole = last_file.read_bytes()
    body, digest = encode(says)
    last_file.write_bytes(whole + join(body, digest))
    assert first.name in findings(settings.folder, keys).problems[0].what  # not signed
    forged = _checkpoint(says, digest, last)
    last_file.write_bytes(whole + join(body, digest) + forged)
    problems = [problem.what for problem in findings(settings.folder, keys).problems]
    assert any("forged" in problem for problem in problems)
    assert any(first.name in problem for problem in problems)


def test_a_log_that_lies_of_how_a_file_ended_explains_nothing(
    settings: AuditSettings, keys: Keys, old: list[bytes]
) -> None:
    assert old
    (_, first), *_ = files_of(settings.folder)
    log = AuditLog(settings)
    log.record({"event": "pruned", "file": 1, "last_hash": "0" * 64, "last_sequence": 1, "time": "2026"})
    log.close()
    first.unlink()
    assert first.name in findings(settings.folder, keys).problems[0].what


def test_a_file_that_could_not_be_erased_is_erased_later(
    settings: AuditSettings, keys: Keys, old: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert old

    def refused(_file: Path, **_: object) -> None:
        raise PermissionError

    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", refused)
        log = AuditLog(settings.model_copy(update={"retention_days": 9}))
        log.tend()
        log.admit()  # calls go on
        log.close()
    assert findings(settings.folder, keys).problems == []
    pruned(settings, 9)
    assert len(files_of(settings.folder)) < 4
    assert findings(settings.folder, keys).problems == []


def _checkpoint(before: dict[str, object], digest: str, like: Line) -> bytes:
    """A checkpoint with the signature of another one."""
    record = {**like.record, "previous": digest, "sequence": int(str(before["sequence"])) + 1}
    body, own = encode(record)
    return join(body, own, like.signature)
