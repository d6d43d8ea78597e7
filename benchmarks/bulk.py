"""Very many documents: files a second of the engines of `bankai batch`, beside the bare extractor in one process.

The documents are copies of the demo's approval notice, a PDF of one page, each with a comment of its own behind its
end, as a document is known by its bytes. The floor reads one after the other and keeps nothing; an engine does what the
command does, into a store of its own. They take turns. Rates count from the first document on; what comes before, the
start of the processes and the models, is told beside them. Ray is left out where it is not installed
(`make setup-ray`).

    python -m benchmarks.bulk --files 100
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import Sequence
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from statistics import median

from bankai.bulk import engines
from bankai.bulk.engine import Engine
from bankai.bulk.work import DONE
from bankai.errors import FaultError
from bankai.inference import open_backend
from benchmarks.command import Report, arguments, run, say
from benchmarks.statistics import paired_ratio
from services.doc_extract.app import open_extractor
from services.doc_extract.bulk import ExtractWork
from services.doc_extract.schema import credit
from services.doc_extract.settings import DocExtractSettings, StorageSettings

NAME = "bulk"
_CHANNEL = "archive"
_SCHEMA = "credit"
_TIMEOUT_S = 120.0


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--files", type=int, default=100, help="documents in each turn (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each (default: %(default)s)")
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, help="processes of an engine (default: one a core)"
    )
    options = parser.parse_args()
    if options.quick:
        options.files, options.rounds = 6, 1
    run(NAME, _measure, options)


async def _measure(options: argparse.Namespace) -> Report:
    measured = [engine for engine in Engine if engine is not Engine.RAY or find_spec("ray")]
    floor: list[float] = []
    starts: dict[Engine, list[float]] = {engine: [] for engine in measured}
    rates: dict[Engine, list[float]] = {engine: [] for engine in measured}
    with tempfile.TemporaryDirectory(prefix="bankai-bench-") as name:
        source = Path(name) / "documents"
        documents = _written(source, options.files)
        for turn in range(options.rounds):
            floor.append(await _bare(documents))
            say(f"bare: {floor[-1]:.2f} files/s")
            for engine in measured:
                folder = Path(name) / f"{engine}-{turn}"
                start, rate = await asyncio.to_thread(_through, engine, documents, folder, options.workers)
                starts[engine].append(start)
                rates[engine].append(rate)
                say(f"{engine}: {rate:.2f} files/s after {start:.1f} s")
    figures = {
        str(engine): {
            "start_s": median(starts[engine]),
            "files_per_s": median(rates[engine]),
            "ratio": paired_ratio(rates[engine], floor),
        }
        for engine in measured
    }
    return {"files": options.files, "workers": options.workers, "bare_files_per_s": median(floor), **figures}


def _written(folder: Path, count: int) -> Sequence[Path]:
    folder.mkdir()
    notice = (files("services.doc_extract.cli") / "samples" / "approval_notice.pdf").read_bytes()
    documents = [folder / f"notice-{number:05}.pdf" for number in range(count)]
    for number, document in enumerate(documents):
        document.write_bytes(notice + b"%% %d\n" % number)
    return documents


async def _bare(documents: Sequence[Path]) -> float:
    """Documents a second of the extractor alone."""
    settings = DocExtractSettings()
    backend = open_backend(settings.inference)
    try:
        async with open_extractor(settings, backend) as extractor:
            for at, document in enumerate(documents):
                await extractor.extract(document.read_bytes(), credit(), timeout=_TIMEOUT_S, progress=lambda _: None)
                if not at:  # loads the models
                    began = time.perf_counter()
    finally:
        await backend.close()
    return _rate(began, time.perf_counter(), documents)


def _through(engine: Engine, documents: Sequence[Path], folder: Path, workers: int) -> tuple[float, float]:
    """Seconds until the first document is done, and documents a second from there.

    Raises:
        FaultError: NOT_DONE; and what the engine raises.
    """
    settings = DocExtractSettings(storage=StorageSettings(folder=folder))
    work = ExtractWork(settings, str(documents[0].parent), _CHANNEL, _SCHEMA)
    items = [document.name for document in documents]
    began = time.perf_counter()
    moments = []
    for outcome in engines.run(engine, work, items, workers, None):
        if outcome["outcome"] != DONE:
            raise FaultError("NOT_DONE", f"{outcome['item']} was not extracted: {outcome}")
        moments.append(time.perf_counter())
    return moments[0] - began, _rate(moments[0], moments[-1], items)


def _rate(first: float, last: float, done: Sequence[object]) -> float:
    return (len(done) - 1) / (last - first)


if __name__ == "__main__":
    main()
