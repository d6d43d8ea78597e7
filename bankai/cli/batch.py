"""`bankai batch`: the services' work on very many items."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from tempfile import TemporaryFile
from typing import IO, Annotated, Any

import typer

from bankai.bulk.engine import Engine

EngineOption = Annotated[
    Engine, typer.Option(help="Who works: processes of this machine, or a Ray cluster (pip install 'bankai[ray]').")
]
WorkersOption = Annotated[
    int | None, typer.Option(min=1, help="Processes, of about 1 GB each; one a core unless said.")
]
AddressOption = Annotated[
    str | None,
    typer.Option("--ray-address", help="The Ray cluster, e.g. ray://head:10001 or auto; starts Ray here without."),
]


def batch() -> typer.Typer:
    """The commands below `bankai batch`."""
    group = typer.Typer(no_args_is_help=True, help="Work on very many documents, or on the whole portfolio.")
    group.command(name="extract")(extract)
    group.command(name="rescan")(rescan)
    return group


def extract(
    source: Annotated[str, typer.Argument(help="Folder of documents, or s3://bucket/prefix.")],
    channel: Annotated[str, typer.Option(help="Channel of the bank whose results they become.")],
    schema: Annotated[str, typer.Option(help="Id of the schema; see bankai schemas list.")] = "credit",
    *,
    match: Annotated[str, typer.Option(help="Only files whose names match, e.g. '*.pdf'.")] = "*",
    report: Annotated[
        str | None, typer.Option(help="File, or s3://bucket/key, for one JSON line a document; stdout without.")
    ] = None,
    engine: EngineOption = Engine.LOCAL,
    workers: WorkersOption = None,
    ray_address: AddressOption = None,
) -> None:
    """Extract the fields of every document below a folder or a bucket's prefix, into the service's own store.

    Runs with the settings of the doc_extract service (BANKAI_DOC_EXTRACT_...), whether or not it runs beside. Begun
    again after whatever ended it, it goes on: a file is extracted once, known by its bytes. A file that cannot be read
    is told with its reason and stops nothing. Exit code 1 where there was one.

    \b
    Examples:
      bankai batch extract /archive/2026 --channel credit --report 2026.jsonl
      bankai batch extract s3://archive/2026 --channel credit --engine ray --ray-address auto --workers 40
    """
    import asyncio

    from bankai.bulk import engines
    from bankai.cli.batch_progress import shown
    from bankai.settings import load
    from services.doc_extract.bulk import ExtractWork
    from services.doc_extract.settings import DocExtractSettings

    work = ExtractWork(load(DocExtractSettings), _place(source), channel, schema)
    items = asyncio.run(_keys(work.source, match))
    outcomes = engines.run(engine, work, items, workers or os.cpu_count() or 1, ray_address)
    with _opened(report) as file:
        counts: Counter[str] = Counter()
        for outcome in shown(outcomes, len(items), "extracting"):
            counts[outcome["outcome"]] += 1
            file.write(json.dumps(outcome, ensure_ascii=False) + "\n")
            file.flush()
    _end(counts)


def rescan(
    request_id: Annotated[
        str | None, typer.Option(help="Name of the rescan: with that of one that was ended, it goes on.")
    ] = None,
    engine: EngineOption = Engine.LOCAL,
    workers: WorkersOption = None,
    ray_address: AddressOption = None,
) -> None:
    """Measure every picture of every project anew, e.g. after a new model was promoted.

    Runs with the settings of the progress_monitor service (BANKAI_PROGRESS_MONITOR_...), whether or not it runs beside.
    A project is scanned once in a rescan. Exit code 1 where some could not be.

    \b
    Examples:
      bankai batch rescan
      bankai batch rescan --request-id rescan-20261126T0800 --engine ray --ray-address auto --workers 40
    """
    import asyncio

    from bankai.bulk import engines
    from bankai.cli.batch_progress import shown
    from bankai.settings import load
    from services.progress_monitor import bulk
    from services.progress_monitor.settings import ProgressMonitorSettings

    settings = load(ProgressMonitorSettings)
    name = request_id or f"rescan-{datetime.now(UTC):%Y%m%dT%H%M}"
    sys.stderr.write(f"This rescan is called {name}.\n")
    now = asyncio.run(bulk.start(settings, name))
    turns = [str(number) for number in range(now.left)]
    work = bulk.RescanWork(settings, now.id)
    for _ in shown(
        engines.run(engine, work, turns, workers or os.cpu_count() or 1, ray_address), len(turns), "scanning"
    ):
        pass
    now = asyncio.run(bulk.state(settings, now.id))
    for project, reason in now.failures.items():
        sys.stderr.write(f"{project}: {reason}\n")
    if now.left:
        sys.stderr.write(f"{now.left} projects are not done: run it again with --request-id {name}.\n")
    _end({"done": now.done - len(now.failures), "failed": len(now.failures) + now.left})


async def _keys(source: str, match: str) -> list[str]:
    from bankai.blobs import Blobs

    return sorted([key async for key, _ in Blobs(source).entries() if PurePosixPath(key).match(match)])


def _place(source: str) -> str:
    from bankai.errors import InvalidRequestError

    if source.startswith("s3://"):
        return source
    if not Path(source).is_dir():
        raise InvalidRequestError("USAGE", f"{source} is no folder, and does not begin with s3://")
    return str(Path(source).absolute())


@contextmanager
def _opened(report: str | None) -> Iterator[IO[str]]:
    """The report, to write to; a bucket has it once it is complete."""
    import asyncio

    from bankai.blobs import Blobs

    if report is None:
        yield sys.stdout
    elif report.startswith("s3://"):
        folder, _, name = report.rpartition("/")
        with TemporaryFile("w+", encoding="utf-8") as file:
            yield file
            file.seek(0)
            asyncio.run(Blobs(folder).put(name, file.read().encode()))
    else:
        with Path(report).open("w", encoding="utf-8") as file:
            yield file


def _end(counts: dict[str, Any]) -> None:
    sys.stderr.write(", ".join(f"{count:,} {what}" for what, count in counts.items()) + ".\n")
    if counts.get("failed"):
        raise typer.Exit(1)
