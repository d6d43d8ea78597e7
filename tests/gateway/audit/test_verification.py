"""Whatever is done to the lines of a log is found, and found where it was done."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import hypothesis
import hypothesis.strategies as st
import pytest
import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from gateway.audit.files import chains_in
from gateway.audit.kept import checkpoints
from gateway.audit.keys import Signer
from gateway.audit.letters import from_letters
from gateway.audit.lines import Line, encode, join, parse
from gateway.audit.log import CHECKPOINT_EVENT, AuditLog
from gateway.audit.settings import AuditSettings
from gateway.audit.verification import Findings, Verification
from tests.gateway.audit.conftest import Keys

EVERY = 7


def write_log(settings: AuditSettings, records: int, texts: list[str] | None = None) -> list[bytes]:
    """Writes a log of one chain and returns its lines."""
    log = AuditLog(settings)
    for number in range(records):
        log.record({"event": "ended", "time": f"2026-01-01T00:00:{number:09.6f}Z", "method": (texts or ["/a"])[0]})
    log.close()
    return [line for _, file in files_of(settings.folder) for line in file.read_bytes().splitlines(keepends=True)]


def files_of(folder: Path) -> list[tuple[int, Path]]:
    (files,) = chains_in(folder).values()
    return files


def findings(folder: Path, keys: Keys, kept: list[Line] | None = None) -> Findings:
    verification = Verification(folder, keys.verifier, kept or [])
    for _ in verification.lines():
        pass
    return verification.findings


@pytest.fixture
def settings(keys: Keys, tmp_path: Path) -> AuditSettings:
    return AuditSettings(folder=tmp_path / "audit", key=keys.private, checkpoint_records=EVERY)


def test_a_sound_log(settings: AuditSettings, keys: Keys) -> None:
    write_log(settings, 20)
    found = findings(settings.folder, keys)
    assert (found.problems, found.records, found.chains, found.unsigned) == ([], 20, 1, {})
    assert found.checkpoints == 4  # the first line, after 7 and 14 records, and the last line
    assert (found.first, found.last) == ("2026-01-01T00:00:00.000000Z", "2026-01-01T00:00:19.000000Z")


class Damage:
    """Damages lines; tells where, as an index into what is left."""

    @staticmethod
    def remove(lines: list[bytes], at: int, other: int) -> int:
        del lines[at]
        return at

    @staticmethod
    def change(lines: list[bytes], at: int, other: int) -> int:
        place = other % (len(lines[at]) - 1)  # the line feed is the lines' own
        lines[at] = lines[at][:place] + bytes((lines[at][place] ^ 1,)) + lines[at][place + 1 :]
        return at

    @staticmethod
    def change_and_hash_anew(lines: list[bytes], at: int, other: int) -> int:
        line = parse(lines[at])
        lines[at] = join(*encode({**line.record, "time": "1999"}), line.signature)
        return at if line.is_checkpoint else at + 1

    @staticmethod
    def repeat(lines: list[bytes], at: int, other: int) -> int:
        lines.insert(at, lines[at])
        return at + 1

    @staticmethod
    def swap(lines: list[bytes], at: int, other: int) -> int:
        lines[at], lines[at + 1] = lines[at + 1], lines[at]
        return at

    @staticmethod
    def move(lines: list[bytes], at: int, other: int) -> int:
        to = other % (len(lines) - 1)
        hypothesis.assume(to != at)
        lines.insert(to, lines.pop(at))
        return min(at, to)


@hypothesis.given(
    records=st.integers(5, 30),
    places=st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 10**6)),
    damage=st.sampled_from([name for name in vars(Damage) if not name.startswith("_")]),
    text=st.text(max_size=20),
)
def test_damage_is_found_where_it_was_done(  # noqa: PLR0917  # hypothesis gives them by name
    tmp_path_factory: pytest.TempPathFactory,
    keys: Keys,
    records: int,
    places: tuple[float, int],
    damage: str,
    text: str,
) -> None:
    settings = AuditSettings(folder=tmp_path_factory.mktemp("audit"), key=keys.private, checkpoint_records=EVERY)
    lines = write_log(settings, records, [text])
    assert findings(settings.folder, keys).problems == []
    # The end is another matter: see the tests of checkpoints that were kept.
    place = getattr(Damage, damage)(lines, int(places[0] * (len(lines) - 1)), places[1])
    files_of(settings.folder)[0][1].write_bytes(b"".join(lines))
    problems = findings(settings.folder, keys).problems
    assert problems
    assert problems[0].line == place + 1
    assert problems[0].file == files_of(settings.folder)[0][1].name
    assert str(problems[0]).startswith(f"{problems[0].file}:{place + 1}: sequence ")


def test_the_last_line_changed(settings: AuditSettings, keys: Keys) -> None:
    lines = write_log(settings, 3)
    last = parse(lines[-1])
    (_, file) = files_of(settings.folder)[0]
    file.write_bytes(b"".join([*lines[:-1], join(*encode({**last.record, "time": "1999"}), last.signature)]))
    (problem,) = findings(settings.folder, keys).problems
    assert (problem.line, "signature" in problem.what) == (len(lines), True)


def forge(lines: list[bytes], begin: int, sign: Callable[[bytes], str]) -> list[bytes]:
    """The lines with one record changed and everything after it hashed anew, as who has no key can do it."""
    forged, previous = lines[:begin], parse(lines[begin]).record["previous"]
    for raw in lines[begin:]:
        line = parse(raw)
        body, digest = encode({**line.record, "previous": previous, "peer": "forged"})
        forged.append(join(body, digest, sign(body) if line.is_checkpoint else ""))
        previous = digest
    return forged


def test_a_log_hashed_anew_is_found_at_its_next_checkpoint(settings: AuditSettings, keys: Keys) -> None:
    lines = write_log(settings, 10)
    (_, file) = files_of(settings.folder)[0]
    stranger = Signer(Ed25519PrivateKey.generate())
    file.write_bytes(b"".join(forge(lines, 3, stranger.sign)))
    problems = findings(settings.folder, keys).problems
    assert [(each.line, "forged" in each.what) for each in problems[:1]] == [(9, True)]


def test_a_checkpoint_of_a_stranger_s_key(settings: AuditSettings, keys: Keys, tmp_path: Path) -> None:
    write_log(settings, 2)
    (first, *_) = findings(settings.folder, Keys(tmp_path, "stranger")).problems
    assert (first.line, "not among the given keys" in first.what) == (1, True)


def test_a_long_end_without_a_checkpoint_is_found(settings: AuditSettings, keys: Keys) -> None:
    lines = write_log(settings, EVERY)
    (_, file) = files_of(settings.folder)[0]
    last = parse(lines[-2])
    for number in range(3):
        body, digest = encode({**last.record, "sequence": last.sequence + 1 + number, "previous": last.hash})
        last = replace(last, hash=digest)
        lines[-1 if number == 0 else len(lines) :] = [join(body, digest)]
    file.write_bytes(b"".join(lines))
    (problem,) = findings(settings.folder, keys).problems
    assert (problem.line, problem.what) == (len(lines) - 2, "a checkpoint is missing before it")


@pytest.mark.parametrize("gone", [0, 1, 2, -1])
def test_a_missing_file(settings: AuditSettings, keys: Keys, gone: int) -> None:
    settings = settings.model_copy(update={"max_file_bytes": 1500})
    write_log(settings, 40)
    files = files_of(settings.folder)
    assert len(files) > 4
    files[gone][1].unlink()
    problems = findings(settings.folder, keys).problems
    if gone == -1:
        assert (problems[0].file, problems[0].what) == (files[-2][1].name, "the file after it is missing")
    else:
        assert (problems[0].file, problems[0].line) == (files[gone + 1][1].name, 1)
        assert files[gone][1].name in problems[0].what
        assert "sequence" in problems[1].what


def test_a_log_that_grows_while_it_is_read(settings: AuditSettings, keys: Keys) -> None:
    settings = settings.model_copy(update={"max_file_bytes": 1500})
    log = AuditLog(settings)
    log.record({"event": "ended", "time": "2026-01-01T00:00:00.000000Z"})
    verification = Verification(settings.folder, keys.verifier)
    for _ in range(20):
        log.record({"event": "ended", "time": "2026-01-01T00:00:00.000000Z"})
    assert len(list(verification.lines())) < 20  # the files that were there at the beginning
    assert verification.findings.problems == []
    log.close()


def test_a_file_cut_off_in_the_middle_of_the_chain(settings: AuditSettings, keys: Keys) -> None:
    settings = settings.model_copy(update={"max_file_bytes": 1500})
    write_log(settings, 20)
    (_, file) = files_of(settings.folder)[1]
    lines = file.read_bytes().splitlines(keepends=True)
    file.write_bytes(b"".join(lines[:-1]))
    problems = findings(settings.folder, keys).problems
    assert (problems[0].file, problems[0].line) == (file.name, len(lines) - 1)
    assert problems[0].what == "the file does not end with a checkpoint"


@pytest.fixture
def logged(settings: AuditSettings) -> list[str]:
    """Writes a log of 20 records; the log lines of its checkpoints."""
    with structlog.testing.capture_logs() as captured:
        write_log(settings, 20)
    return [str(line) for line in captured if line["event"] == CHECKPOINT_EVENT]


@pytest.mark.parametrize("cut", [1, 2, 5, 20, 24])
def test_a_cut_off_end_is_found_with_a_checkpoint_that_was_kept(
    settings: AuditSettings, keys: Keys, logged: list[str], cut: int
) -> None:
    (_, file) = files_of(settings.folder)[0]
    lines = file.read_bytes().splitlines(keepends=True)
    kept = list(checkpoints(logged, keys.verifier))
    assert findings(settings.folder, keys, kept).problems == []
    file.write_bytes(b"".join(lines[:-cut]))
    problems = findings(settings.folder, keys, kept[-1:]).problems
    assert [each.line for each in problems] == [max(len(lines) - cut, 1)]
    assert "cut off" in problems[0].what


def test_a_missing_chain_is_found_with_a_checkpoint_that_was_kept(
    settings: AuditSettings, keys: Keys, logged: list[str]
) -> None:
    kept = list(checkpoints(logged, keys.verifier))
    files_of(settings.folder)[0][1].unlink()
    (problem,) = findings(settings.folder, keys, kept).problems
    assert "the whole chain is missing" in problem.what


def test_checkpoints_are_read_from_the_log_and_from_log_lines(
    settings: AuditSettings, keys: Keys, logged: list[str]
) -> None:
    lines = [raw.decode() for raw in files_of(settings.folder)[0][1].read_bytes().splitlines()]
    from_file = list(checkpoints(lines, keys.verifier))
    assert from_file == list(checkpoints(["noise", *logged, ""], keys.verifier))
    assert len(from_file) == 4


def test_a_forged_checkpoint_is_not_taken_for_one_that_was_kept(settings: AuditSettings, keys: Keys) -> None:
    line = parse(write_log(settings, 1)[0])
    forged = join(*encode({**line.record, "every": 1}), line.signature).decode()
    with pytest.raises(ValueError, match="line 2 is not signed"):
        list(checkpoints(["", forged], keys.verifier))


@hypothesis.given(st.binary(max_size=300))
def test_any_bytes_are_no_line_or_one(raw: bytes) -> None:
    try:
        line = parse(raw)
    except ValueError:
        return
    assert line.body in raw


def test_letters() -> None:
    with pytest.raises(ValueError, match="letters"):
        from_letters("01")
