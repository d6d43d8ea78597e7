"""Runs the evaluations with the shipped models, in this process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bankai.cli.report import progress as bar
from bankai.inference import open_backend
from bankai.inference.repository import ModelRepository
from bankai.settings import InferenceSettings
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.evaluation import change as change_evaluation
from services.progress_monitor.evaluation import progress as progress_evaluation
from services.progress_monitor.meaning.evidence import EvidenceModel, read_parameters
from services.progress_monitor.meaning.states import StateModel


def change(folder: Path) -> dict[str, Any]:
    """The metrics of change detection on a folder of pairs."""
    pairs = change_evaluation.pairs_of(folder)

    async def run() -> dict[str, Any]:
        async with _models() as models:
            judged = [await change_evaluation.judge_pair(files, models.change) for files in bar(pairs, "pairs")]
        return change_evaluation.metrics(judged)

    return asyncio.run(run())


def progress(folder: Path) -> dict[str, Any]:
    """The metrics of stage and progress on a folder of sites."""
    sites = progress_evaluation.sites_of(folder)

    async def run() -> dict[str, Any]:
        async with _models() as models:
            judged = [await progress_evaluation.judge_site(site, models) for site in bar(sites, "sites")]
        return progress_evaluation.metrics(judged)

    return asyncio.run(run())


@asynccontextmanager
async def _models() -> AsyncIterator[progress_evaluation.Models]:
    settings = InferenceSettings(threads=2)
    states = StateModel(read_parameters(ModelRepository(settings.models_dir)))
    backend = open_backend(settings)
    try:
        yield progress_evaluation.Models(ChangeModel(backend), EvidenceModel(backend), states)
    finally:
        await backend.close()
