"""`bankai audit`: what auditing the gateway's calls needs."""

import json
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from enum import StrEnum
from hashlib import file_digest
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from gateway.audit.keys import Verifier
    from gateway.audit.lines import Line
    from gateway.audit.verification import Findings, Verification

_SHOWN = 20
_LONGEST_NAME = 255
_UNREADABLE = "AUDIT_LOG_UNREADABLE"


class ExportFormat(StrEnum):
    """How records are written."""

    JSONL = "jsonl"
    CSV = "csv"


FolderArgument = Annotated[Path, typer.Argument(help="Folder of the audit log.")]
KeyOption = Annotated[
    list[Path], typer.Option(help="PEM file of the public key that signs the log; once for each key that ever did.")
]
CheckpointOption = Annotated[
    list[str] | None,
    typer.Option(
        help="A checkpoint that was kept outside of the folder: a line of the log system, or a file of such lines."
    ),
]


def audit() -> typer.Typer:
    """The commands below `bankai audit`."""
    group = typer.Typer(no_args_is_help=True, help="Verify and read the record of every call through the gateway.")
    group.command(name="new-key")(new_key)
    group.command(name="verify")(verify)
    group.command(name="export")(export)
    return group


def new_key(
    private: Annotated[Path, typer.Argument(help="File to write the private key to; only its owner may read it.")],
    public: Annotated[Path, typer.Argument(help="File to write the public key to; for everyone who verifies.")],
) -> None:
    """Make a key that signs the audit log.

    Give the private key to the gateway (BANKAI_GATEWAY_AUDIT__KEY) and the public one to whoever verifies the log. To
    change the key, make another and start the gateway with it; keep every public key for as long as its log.

    \b
    Examples:
      bankai audit new-key audit.pem audit.pub.pem
    """
    from bankai.errors import FaultError
    from gateway.audit.keys import write_new_key

    try:
        key_id = write_new_key(private, public)
    except OSError as error:
        raise FaultError("KEY_FILE_UNWRITABLE", f"{error.filename} cannot be written ({error.strerror})") from None
    sys.stdout.write(f"{key_id}\n")
    sys.stderr.write(f"The private key is in {private}, the public one in {public}.\n")


def verify(folder: FolderArgument, key: KeyOption, checkpoint: CheckpointOption = None) -> None:
    """Check that nobody has changed the audit log.

    Reads every line. What was taken out, changed, moved, repeated or forged is shown with its file, line and place in
    the chain, and the exit code is 1. Whoever can write the folder can still cut off the end of a chain and leave no
    trace in it: give checkpoints from your log system (lines "audit checkpoint") to find that, too.

    \b
    Examples:
      bankai audit verify /var/log/bankai/audit --key audit.pub.pem
      bankai audit verify audit --key 2025.pub.pem --key 2026.pub.pem
      bankai audit verify audit --key audit.pub.pem --checkpoint gateway.log
    """
    from bankai.cli.report import screen

    verification = _verification(folder, key, checkpoint or [])
    with _reading(verification) as advance:
        for _ in verification.lines(advance):
            pass
    findings = verification.findings
    screen().print(_told(findings), markup=False, soft_wrap=True)
    sys.stdout.write(json.dumps(_result(findings)) + "\n")
    _end(findings)


def export(
    folder: FolderArgument,
    key: KeyOption,
    *,
    output: Annotated[Path, typer.Option("-o", "--output", help="File to write; its report is FILE.report.json.")],
    since: Annotated[str | None, typer.Option("--from", help="Time of the first record, e.g. 2026-01-31.")] = None,
    until: Annotated[str | None, typer.Option("--to", help="Time that all records are before.")] = None,
    channel: Annotated[str | None, typer.Option(help="Only calls of this channel.")] = None,
    method: Annotated[str | None, typer.Option(help="Only calls of this method: its full path, or its name.")] = None,
    code: Annotated[str | None, typer.Option(help="Only calls that ended with this status, e.g. OK.")] = None,
    form: Annotated[ExportFormat, typer.Option("--format", help="JSON lines or CSV.")] = ExportFormat.JSONL,
    checkpoint: CheckpointOption = None,
) -> None:
    """Write records of the audit log to a file, and verify the log meanwhile.

    The file's report says what was asked for, how many records there are, the SHA-256 of the file, and what verifying
    the whole log has found; the exit code is 1 where something is wrong. Times without a zone are local. Records stand
    in the order of their chains; the gateway's processes have one each.

    \b
    Examples:
      bankai audit export audit --key audit.pub.pem -o calls.jsonl
      bankai audit export audit --key audit.pub.pem --from 2026-01-01 --to 2026-02-01 --format csv -o a.csv
      bankai audit export audit --key audit.pub.pem --method Classify --code UNAVAILABLE -o failed.jsonl
    """
    from bankai.errors import FaultError
    from gateway.audit.export import Wanted, write

    wanted = Wanted(_time(since), _time(until), channel, method, code.upper() if code else None)
    verification = _verification(folder, key, checkpoint or [])
    report = output.with_name(f"{output.name}.report.json")
    try:
        with output.open("w", encoding="utf-8", newline="") as file, _reading(verification) as advance:
            count = write(verification.lines(advance), wanted, file, form.value)
        with output.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        findings = verification.findings
        told = {"file": output.name, "records": count, "sha256": digest, "wanted": asdict(wanted)}
        content = {**told, "verification": _result(findings) | {"problems": list(map(str, findings.problems))}}
        report.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise FaultError("EXPORT_FAILED", f"{error.filename or output}: {error.strerror}") from None
    sys.stderr.write(_told(findings) + "\n")
    sys.stdout.write(json.dumps({**told, "verification": _result(findings)}) + "\n")
    _end(findings)


def _verification(folder: Path, keys: list[Path], given: list[str]) -> "Verification":
    from bankai.errors import InvalidRequestError
    from gateway.audit.keys import Verifier, read_public_key
    from gateway.audit.verification import Verification

    try:
        verifier = Verifier(map(read_public_key, keys))
        kept = [line for each in given for line in _kept(each, verifier)]
        verification = Verification(folder, verifier, kept)
    except ValueError as error:
        raise InvalidRequestError(_UNREADABLE, str(error)) from None
    except OSError as error:
        raise InvalidRequestError(_UNREADABLE, f"{error.filename} cannot be read ({error.strerror})") from None
    if not verification.findings.files and not kept:
        raise InvalidRequestError(_UNREADABLE, f"there is no audit log in {folder}")
    return verification


def _kept(given: str, verifier: "Verifier") -> "list[Line]":
    from gateway.audit.kept import checkpoints

    with ExitStack() as stack:
        texts: Iterable[str] = [given]
        # A line is longer than any name of a file.
        if len(given) < _LONGEST_NAME and Path(given).is_file():
            texts = stack.enter_context(Path(given).open(encoding="utf-8", errors="replace"))
        found = list(checkpoints(texts, verifier))
    if not found:
        raise ValueError("what --checkpoint names holds no checkpoint")
    return found


@contextmanager
def _reading(verification: "Verification") -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr, by bytes."""
    from rich.console import Console
    from rich.progress import Progress

    from bankai.errors import FaultError

    with Progress(console=Console(file=sys.stderr)) as bar:
        task = bar.add_task("Reading the audit log", total=verification.size)
        try:
            yield lambda count: bar.advance(task, count)
        except OSError as error:
            raise FaultError(_UNREADABLE, f"{error.filename} cannot be read ({error.strerror})") from None


def _result(findings: "Findings") -> dict[str, object]:
    """The findings for machines; of the problems the number alone."""
    result = asdict(findings)
    result["problems"] = result.pop("problem_count")
    return result


def _told(findings: "Findings") -> str:
    """The findings for people."""
    lines = [str(problem) for problem in findings.problems[:_SHOWN]]
    if findings.problem_count > _SHOWN:
        lines.append(f"... and {findings.problem_count - _SHOWN:,} more")
    lines += [
        f"{name}: lines that were cut short when a gateway died, and set aside at its next start"
        for name in findings.set_aside
    ]
    lines += [
        f"chain {chain}: {count:,} records since the last checkpoint are not signed yet"
        for chain, count in findings.unsigned.items()
    ]
    lines.append(
        f"{findings.records:,} records and {findings.checkpoints:,} checkpoints in {findings.chains:,} chains, "
        f"{findings.files:,} files, from {findings.first or 'never'} to {findings.last or 'never'}"
    )
    lines.append(f"{findings.problem_count:,} problems" if findings.problem_count else "The log is sound.")
    return "\n".join(lines)


def _end(findings: "Findings") -> NoReturn:
    raise typer.Exit(1 if findings.problem_count else 0)


def _time(given: str | None) -> str | None:
    from bankai.errors import InvalidRequestError
    from gateway.audit.log import rfc3339

    if given is None:
        return None
    try:
        return rfc3339(datetime.fromisoformat(given).astimezone(UTC).timestamp())
    except ValueError:
        raise InvalidRequestError(
            "TIME_INVALID", f"{given!r} is no time: 2026-01-31, 2026-01-31T09:00:00 or 2026-01-31T09:00:00+08:00"
        ) from None
