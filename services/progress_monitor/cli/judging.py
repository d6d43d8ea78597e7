"""Runs the evaluations with the shipped models, in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bankai.cli.report import progress as bar
from bankai.cli.report import screen
from bankai.inference import open_backend
from bankai.inference.backend import InferenceBackend
from bankai.inference.repository import ModelRepository
from bankai.settings import InferenceSettings, load
from services.progress_monitor.alignment.registration import Registration
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.scenes import compare_scenes
from services.progress_monitor.change.work import WorkModel
from services.progress_monitor.evaluation import change as change_evaluation
from services.progress_monitor.evaluation import progress as progress_evaluation
from services.progress_monitor.meaning.evidence import EvidenceModel, read_parameters
from services.progress_monitor.meaning.states import StateModel
from services.progress_monitor.settings import ProgressMonitorSettings

_THREADS = 2


def change(folder: Path) -> dict[str, Any]:
    """The metrics of change detection on a folder of pairs."""
    pairs = change_evaluation.pairs_of(folder)

    async def run() -> dict[str, Any]:
        async with _backend() as backend:
            model = ChangeModel(backend)
            judged = [await change_evaluation.judge_pair(files, model) for files in bar(pairs, "pairs")]
        return change_evaluation.metrics(judged)

    return asyncio.run(run())


def progress(folder: Path) -> dict[str, Any]:
    """The metrics of stage and progress on a folder of sites."""
    sites = progress_evaluation.sites_of(folder)

    async def run() -> dict[str, Any]:
        states = StateModel(read_parameters(ModelRepository(_settings().models_dir)))
        async with _backend() as backend:
            models = progress_evaluation.Models(
                ChangeModel(backend), WorkModel(backend), EvidenceModel(backend), states
            )
            judged = [await progress_evaluation.judge_site(site, models) for site in bar(sites, "sites")]
        return progress_evaluation.metrics(judged)

    return asyncio.run(run())


def scenes(before: Path, after: Path, out: Path) -> None:
    """Compares two whole scenes, and says how they lie."""

    async def run() -> Registration:
        async with _backend() as backend:
            return await compare_scenes(before, after, out, ChangeModel(backend))

    found = asyncio.run(run())
    lies = f"shift {found.shift:.2f} px, turn {found.turn:.2f} degrees, quality {found.quality:.2f}"
    screen().print(f"{out} is written; {lies}{'' if found.good else ': not believed, compared as they lie'}")


@asynccontextmanager
async def _backend() -> AsyncIterator[InferenceBackend]:
    backend = open_backend(_settings())
    try:
        yield backend
    finally:
        await backend.close()


def _settings() -> InferenceSettings:
    """The service's own, so that what is judged is what would serve."""
    return load(ProgressMonitorSettings).inference.model_copy(update={"threads": _THREADS})
