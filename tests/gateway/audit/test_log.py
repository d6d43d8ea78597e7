"""Writing the log: restarts, rotation, processes side by side, disks that are full."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import structlog
from prometheus_client import REGISTRY
from structlog.typing import EventDict

from bankai.errors import FaultError, UnavailableError
from bankai.status import from_rpc_error
from gateway.audit.log import AuditLog, audit_log
from gateway.audit.settings import AuditSettings
from gateway.audit.verification import Findings, Verification
from tests.gateway.audit.conftest import Keys, gateway_with, records
from tests.gateway.conftest import Client
from tests.gateway.toy import Toy

CALL = {"event": "ended", "time": "2026-01-01T00:00:00.000000Z"}


def verified(settings: AuditSettings, *keys: Keys) -> Findings:
    verification = Verification(settings.folder, keys[0].verifier)
    for _ in verification.lines():
        pass
    return verification.findings


def sound(settings: AuditSettings, keys: Keys) -> Findings:
    found = verified(settings, keys)
    assert found.problems == []
    return found


@pytest.fixture
def events() -> Iterator[list[EventDict]]:
    with structlog.testing.capture_logs() as captured:
        yield captured


def whys(settings: AuditSettings) -> list[str]:
    return [record["why"] for record in records(settings.folder, "checkpoint")]


def test_a_restart_continues_the_chain(settings: AuditSettings, keys: Keys) -> None:
    for _ in range(3):
        log = AuditLog(settings)
        log.record(CALL)
        log.close()
    found = sound(settings, keys)
    assert (found.chains, found.files, found.records) == (1, 1, 3)
    assert whys(settings) == ["start", "shutdown"] * 3


def test_processes_side_by_side_have_a_chain_each(settings: AuditSettings, keys: Keys) -> None:
    logs = [AuditLog(settings) for _ in range(3)]
    for log in logs:
        log.record(CALL)
        log.close()
    again = [AuditLog(settings) for _ in range(3)]
    assert {log.chain for log in again} == {log.chain for log in logs}
    for log in again:
        log.close()
    assert sound(settings, keys).chains == 3


def test_rotation(settings: AuditSettings, keys: Keys) -> None:
    settings = settings.model_copy(update={"max_file_bytes": 2000})
    log = AuditLog(settings)
    for _ in range(50):
        log.record(CALL)
    log.sync()
    log.close()
    found = sound(settings, keys)
    assert found.files > 5
    assert found.records == 50
    assert all(file.stat().st_size < 3500 for file in settings.folder.glob("*.jsonl"))


def test_a_process_that_ended_while_it_rotated(settings: AuditSettings, keys: Keys) -> None:
    log = AuditLog(settings)
    log.record(CALL)
    log.close()
    (file,) = settings.folder.glob("*.jsonl")
    file.with_name(file.name.replace("000001", "000002")).touch()
    log = AuditLog(settings)
    log.record(CALL)
    log.close()
    assert sound(settings, keys).records == 2


def test_a_line_cut_short_is_set_aside_and_told(settings: AuditSettings, keys: Keys, events: list[EventDict]) -> None:
    log = AuditLog(settings)
    log.record(CALL)
    log.close()
    (file,) = settings.folder.glob("*.jsonl")
    piece = file.read_bytes().splitlines()[1][:100]
    with file.open("ab") as stream:
        stream.write(piece)
    assert verified(settings, keys).problems[0].what == "the line is cut short"
    log = AuditLog(settings)
    log.close()
    found = sound(settings, keys)
    assert (found.records, found.chains) == (1, 1)
    assert [(settings.folder / name).read_bytes() for name in found.set_aside] == [piece + b"\n"]
    assert [each["torn_bytes"] for each in records(settings.folder, "checkpoint")] == [0, 0, 100, 0]
    assert [each["bytes"] for each in events if "cut short" in each["event"]] == [100]


def test_a_file_that_is_but_a_line_cut_short(settings: AuditSettings, keys: Keys) -> None:
    AuditLog(settings).close()
    (file,) = settings.folder.glob("*.jsonl")
    file.write_bytes(b'{"hash"' + bytes(200_000))
    log = AuditLog(settings)
    log.close()
    assert sound(settings, keys).chains == 1


def test_a_chain_whose_end_was_changed_is_left_to_who_verifies(
    settings: AuditSettings, keys: Keys, events: list[EventDict]
) -> None:
    log = AuditLog(settings)
    log.record(CALL)
    log.close()
    (file,) = settings.folder.glob("*.jsonl")
    content = file.read_bytes().replace(b"2026-01-01T00:00:00", b"2025-01-01T00:00:00")
    file.write_bytes(content)
    log = AuditLog(settings)
    log.close()
    assert file.read_bytes() == content
    found = verified(settings, keys)
    assert found.chains == 2
    assert {problem.file for problem in found.problems} == {file.name}
    assert [each["line"] for each in events if "broken" in each["event"]] == [2]


def test_another_key_signs_on(settings: AuditSettings, keys: Keys, tmp_path: Path) -> None:
    AuditLog(settings).close()
    other = Keys(tmp_path, "other")
    AuditLog(settings.model_copy(update={"key": other.private})).close()
    assert [each["key"] for each in records(settings.folder, "checkpoint")] == [keys.id] * 2 + [other.id] * 2
    assert "not among the given keys" in verified(settings, keys).problems[0].what


def test_a_file_that_somebody_else_removes(settings: AuditSettings, keys: Keys, events: list[EventDict]) -> None:
    log = AuditLog(settings)
    (file,) = settings.folder.glob("*.jsonl")
    file.unlink()
    log.tend()
    log.record(CALL)
    log.close()
    assert any("somebody else" in each["event"] for each in events)
    found = verified(settings, keys)
    assert found.records == 1
    assert file.name in found.problems[0].what


async def test_a_folder_that_cannot_be_made_stops_the_start(settings: AuditSettings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FaultError) as caught:
        async with audit_log(settings.model_copy(update={"folder": tmp_path / "file" / "audit"})):
            pytest.fail("it has no folder")
    assert caught.value.reason == "AUDIT_UNUSABLE"


_FULL = """
import asyncio, json, resource, sys
from pathlib import Path
from bankai.errors import UnavailableError
from gateway.audit.log import AuditLog
from gateway.audit.settings import AuditSettings

call = {"event": "ended", "time": "2026-01-01T00:00:00.000000Z", "text": "x" * 100}
settings = AuditSettings(folder=Path(sys.argv[1]), key=Path(sys.argv[2]), required=json.loads(sys.argv[3]))
log = AuditLog(settings)
log.record(call)
(file,) = settings.folder.glob("*.jsonl")
room = file.stat().st_size + 100  # a part of a line
resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
refused = []
for _ in range(3):
    for step in (log.admit, lambda: log.record(call)):
        try:
            step()
        except UnavailableError as error:
            refused.append(error.reason)
log.tend()
size = file.stat().st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.tend()
log.admit()
log.record(call)
log.close()
print(json.dumps({"refused": refused, "left": room - size}))
"""


@pytest.mark.parametrize("required", [True, False])
def test_a_full_disk(settings: AuditSettings, keys: Keys, *, required: bool) -> None:
    """The system takes only a part of a line, which is taken back, and nothing more until there is room again."""
    arguments = (str(settings.folder), str(settings.key), json.dumps(required))
    done = subprocess.run(
        [sys.executable, "-c", _FULL, *arguments], capture_output=True, text=True, check=True, timeout=60
    )
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["left"] == 100
    # The first was let in; the later ones were not, though they try to record that.
    assert told["refused"] == (["AUDIT_UNAVAILABLE"] * 5 if required else [])
    assert sound(settings, keys).records == 2
    assert next(each for each in records(settings.folder, "checkpoint") if each["unrecorded"])["why"] == "recovery"
    assert "cannot be written" in done.stderr + done.stdout


async def test_calls_while_the_disk_is_full(
    toy: Toy, key_file: tuple[Path, str], settings: AuditSettings, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failures() -> float:
        return REGISTRY.get_sample_value("bankai_audit_failures_total") or 0.0

    async with gateway_with(settings, toy, key_file) as client:
        before = failures()
        with monkeypatch.context() as patch:
            # What the kernel says of a full disk; nothing else of this process writes with it meanwhile.
            patch.setattr("gateway.audit.files.os.write", _full)
            for _ in range(2):
                with pytest.raises(grpc.aio.AioRpcError) as caught:
                    await client.unary("Echo", b"")
                assert from_rpc_error(caught.value).reason == "AUDIT_UNAVAILABLE"
                assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
            # That the first one was let in and that it was refused; the second was refused up front.
            assert failures() == before + 2
        await answered(client)
    found = sound(settings, keys)
    assert found.records > 0
    (recovery,) = (each for each in records(settings.folder, "checkpoint") if each["why"] == "recovery")
    assert recovery["unrecorded"] >= 3  # and what was refused until then


async def answered(client: Client) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                await client.unary("Echo", b"")
            except grpc.aio.AioRpcError:
                await asyncio.sleep(0.05)
            else:
                return


def _full(*_: object) -> int:
    raise OSError(28, os.strerror(28))


async def test_time_and_count_make_checkpoints(settings: AuditSettings, keys: Keys) -> None:
    settings = settings.model_copy(update={"checkpoint_records": 3, "checkpoint_s": 0.05})
    async with audit_log(settings) as log:
        log.record(CALL)
        async with asyncio.timeout(20):
            while "time" not in whys(settings):  # noqa: ASYNC110  # a file tells nobody
                await asyncio.sleep(0.02)
        for _ in range(4):
            log.record(CALL)
    found = sound(settings, keys)
    assert found.unsigned == {}
    assert {"start", "time", "records", "shutdown"} <= set(whys(settings))


def test_nothing_is_written_after_the_end(settings: AuditSettings) -> None:
    log = AuditLog(settings)
    log.close()
    with pytest.raises(UnavailableError):
        log.record(CALL)
