"""`bankai backup`: a copy of all that the services keep, verified and put back."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from bankai.backup.blob_copies import Advance
    from bankai.backup.holdings import Holdings

FolderArgument = Annotated[Path, typer.Argument(help="Folder of the backup.")]


def backup() -> typer.Typer:
    """The commands below `bankai backup`."""
    group = typer.Typer(
        no_args_is_help=True,
        help="Back up results, documents and projects, and restore them. See docs/backup.md for the rest.",
    )
    group.command(name="create")(create)
    group.command(name="verify")(verify)
    group.command(name="restore")(restore)
    group.command(name="check")(check)
    return group


def create(
    folder: FolderArgument,
    *,
    blobs: Annotated[
        bool, typer.Option(help="Copy documents and pixels, too; not where their bucket is backed up by itself.")
    ] = True,
) -> None:
    """Copy the databases of the services, and the documents and pixels that they refer to, while all runs.

    Run it with the services' own settings (BANKAI_DOC_EXTRACT_STORAGE__..., BANKAI_PROGRESS_MONITOR_STORAGE__...).
    PostgreSQL is copied by its own pg_dump, which must be as new as the server. The folder then holds customers' data.
    Exit code 1 where something that a row refers to was missing or damaged; the rest is copied all the same.

    \b
    Examples:
      bankai backup create /backup/2026-11-26
      bankai backup create /backup/2026-11-26 --no-blobs
    """
    import asyncio

    from bankai.backup.backup import create as make

    with _progress("copying") as advance:
        manifest = asyncio.run(make(folder, _holdings(), advance, with_blobs=blobs))
    missing = sorted(f"{each.component}: {key} is missing" for each in manifest.blobs for key in each.missing)
    damaged = sorted(f"{each.component}: {key} is damaged" for each in manifest.blobs for key in each.damaged)
    copied = sum(len(each.hashes) for each in manifest.blobs)
    _end({"databases": len(manifest.databases), "blobs": copied, "problems": [*missing, *damaged]})


def verify(folder: FolderArgument) -> None:
    """Check that a backup is as it was made: every database and every blob by its hash. Exit code 1 where it is not.

    \b
    Examples:
      bankai backup verify /backup/2026-11-26
    """
    import asyncio

    from bankai.backup.backup import verify as check

    with _progress("verifying") as advance:
        problems = asyncio.run(check(folder, advance))
    _end({"problems": problems})


def restore(folder: FolderArgument) -> None:
    """Put a backup back, into empty databases and folders or buckets.

    Run it with the settings of the services that are to go on with it, before they start. The backup is verified first.
    Then start the services, and erase again what was erased since: bankai data erase ORDER --yes.

    \b
    Examples:
      bankai backup restore /backup/2026-11-26
    """
    import asyncio

    from bankai.backup.backup import restore as put_back

    with _progress("restoring") as advance:
        manifest = asyncio.run(put_back(folder, _holdings(), advance))
    restored = sum(len(each.hashes) for each in manifest.blobs)
    _end({"made": manifest.made, "databases": len(manifest.databases), "blobs": restored, "problems": []})


def check() -> None:
    """Check that what the services keep now is whole: every document and picture that a row refers to, by its hash.

    Run it with the services' own settings, while they run, after a restore or now and then. Exit code 1 where something
    is missing or damaged.

    \b
    Examples:
      bankai backup check
    """
    import asyncio

    from bankai.backup.backup import check as look

    with _progress("checking") as advance:
        problems = asyncio.run(look(_holdings(), advance))
    _end({"problems": problems})


def _holdings() -> "dict[str, Holdings]":
    from bankai.cli.registry import CAPABILITIES

    kept = {capability.name: capability.holdings() for capability in CAPABILITIES}
    return {name: each for name, each in kept.items() if each is not None}


def _end(result: dict[str, object]) -> NoReturn:
    problems = result["problems"]
    assert isinstance(problems, list), "it is"  # noqa: S101  # for the type checker
    sys.stderr.writelines(f"{problem}\n" for problem in problems)
    sys.stdout.write(json.dumps(result | {"problems": len(problems)}) + "\n")
    sys.stdout.flush()
    sys.stderr.flush()
    # The threads of the blob stores' library may abort an interpreter that winds itself up; nothing is left to be done.
    os._exit(1 if problems else 0)


@contextmanager
def _progress(doing: str) -> "Iterator[Advance]":
    """Counts files on stderr: how many there will be is not known before the databases are read."""
    from rich.console import Console
    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    columns = (SpinnerColumn(), TextColumn(f"{doing}: {{task.completed:,.0f}} files"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(doing, total=None)
        yield lambda: bar.advance(task)
