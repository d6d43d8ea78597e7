"""`bankai audit`."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from gateway.audit.log import CHECKPOINT_EVENT, AuditLog
from gateway.audit.settings import AuditSettings
from tests.cli.conftest import Run

CALLS = [
    ("2026-01-01T10:00:00.000000Z", "ivr", "/a.v1.A/Classify", "OK"),
    ("2026-01-02T10:00:00.000000Z", "ivr", "/a.v1.A/Classify", "UNAVAILABLE"),
    ("2026-01-03T10:00:00.000000Z", "core", "/a.v1.A/ReClassify", "OK"),
]


@pytest.fixture
def made(bankai: Run, tmp_path: Path) -> Iterator[list[Any]]:
    """Makes keys and a log of three calls in the working folder; what was logged meanwhile."""
    done = bankai("audit", "new-key", "audit.pem", "audit.pub.pem")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "audit.pem").stat().st_mode & 0o077 == 0
    with structlog.testing.capture_logs() as events:
        log = AuditLog(AuditSettings(folder=tmp_path / "audit", key=tmp_path / "audit.pem"))
        for number, (time, channel, method, code) in enumerate(CALLS):
            names = {"channel": channel, "method": method, "code": code, "request_id": f"=1+{number}"}
            log.record({"event": "ended", "time": time} | names)
        log.close()
        yield events


def log_file(tmp_path: Path) -> Path:
    (file,) = (tmp_path / "audit").glob("*.jsonl")
    return file


def test_a_sound_log(bankai: Run, made: list[Any]) -> None:
    done = bankai("audit", "verify", "audit", "--key", "audit.pub.pem")
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0)
    assert "The log is sound." in done.stdout
    result = json.loads(done.stdout.splitlines()[-1])
    assert (result["records"], result["checkpoints"], result["chains"], result["problems"]) == (3, 2, 1, 0)
    assert (result["first"], result["last"]) == (CALLS[0][0], CALLS[2][0])


def test_a_changed_line_is_named(bankai: Run, made: list[Any], tmp_path: Path) -> None:
    file = log_file(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"UNAVAILABLE", b"OK"))
    done = bankai("audit", "verify", "audit", "--key", "audit.pub.pem")
    assert done.returncode == 1
    assert f"{file.name}:3: sequence 3: it was changed" in done.stdout
    assert json.loads(done.stdout.splitlines()[-1])["problems"] == 1


def test_a_cut_off_end_is_found_by_the_log_s_copy(bankai: Run, made: list[Any], tmp_path: Path) -> None:
    file = log_file(tmp_path)
    file.write_bytes(b"".join(file.read_bytes().splitlines(keepends=True)[:2]))
    verify = ("audit", "verify", "audit", "--key", "audit.pub.pem")
    assert bankai(*verify).returncode == 0
    lines = [json.dumps(event) for event in made if event["event"] == CHECKPOINT_EVENT]
    (tmp_path / "gateway.log").write_text("\n".join(("noise", *lines)) + "\n")
    for given in ("gateway.log", lines[-1]):
        done = bankai(*verify, "--checkpoint", given)
        assert done.returncode == 1
        assert f"{file.name}:2: sequence 2: the log was cut off after it" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("none", "--key", "audit.pub.pem"), "cannot be read"),
        (("empty", "--key", "audit.pub.pem"), "no audit log"),
        (("audit", "--key", "audit.pem"), "no public key"),
        (("audit", "--key", "none.pem"), "cannot be read"),
        (("audit", "--key", "audit.pub.pem", "--checkpoint", "nothing"), "no checkpoint"),
    ],
)
def test_wrong_input_exits_2(
    bankai: Run, made: list[Any], tmp_path: Path, arguments: tuple[str, ...], problem: str
) -> None:
    (tmp_path / "empty").mkdir()
    done = bankai("audit", "verify", *arguments)
    assert (done.returncode, done.stderr.count("Traceback")) == (2, 0)
    assert problem in done.stderr


def test_a_key_that_is_there_is_not_overwritten(bankai: Run, made: list[Any], tmp_path: Path) -> None:
    before = (tmp_path / "audit.pem").read_bytes()
    assert bankai("audit", "new-key", "audit.pem", "new.pub.pem").returncode == 1
    assert (tmp_path / "audit.pem").read_bytes() == before
    assert not (tmp_path / "new.pub.pem").exists()


def test_export(bankai: Run, made: list[Any], tmp_path: Path) -> None:
    export = ("audit", "export", "audit", "--key", "audit.pub.pem", "-o")
    done = bankai(*export, "all.jsonl")
    assert done.returncode == 0, done.stderr
    rows = [json.loads(line) for line in (tmp_path / "all.jsonl").read_text().splitlines()]
    assert [row["time"] for row in rows] == [call[0] for call in CALLS]
    report = json.loads((tmp_path / "all.jsonl.report.json").read_text())
    assert (report["records"], report["verification"]["problems"]) == (3, [])

    assert bankai(*export, "some.csv", "--format", "csv", "--method", "Classify", "--channel", "ivr").returncode == 0
    with (tmp_path / "some.csv").open(newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["code"] for row in table] == ["OK", "UNAVAILABLE"]
    assert [row["request_id"] for row in table] == ["'=1+0", "'=1+1"]  # no formula of a spreadsheet

    period = ("--from", "2026-01-02T11:00:00+01:00", "--to", "2026-01-03T10:00:00+00:00")
    assert bankai(*export, "day.jsonl", *period).returncode == 0
    assert [json.loads(line)["time"] for line in (tmp_path / "day.jsonl").read_text().splitlines()] == [CALLS[1][0]]
    assert bankai(*export, "codes.jsonl", "--code", "unavailable").returncode == 0
    assert len((tmp_path / "codes.jsonl").read_text().splitlines()) == 1
    assert bankai(*export, "x", "--from", "yesterday").returncode == 2


def test_an_export_of_a_changed_log_says_so(bankai: Run, made: list[Any], tmp_path: Path) -> None:
    file = log_file(tmp_path)
    file.write_bytes(file.read_bytes().replace(b"UNAVAILABLE", b"OK"))
    done = bankai("audit", "export", "audit", "--key", "audit.pub.pem", "-o", "all.jsonl")
    assert done.returncode == 1
    assert len((tmp_path / "all.jsonl").read_text().splitlines()) == 2
    (problem,) = json.loads((tmp_path / "all.jsonl.report.json").read_text())["verification"]["problems"]
    assert problem.startswith(f"{file.name}:3: ")
