"""Runs the adaptation of the change model."""

import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import Progress

from bankai.errors import FaultError
from bankai.inference.repository import ModelRepository
from bankai.settings import InferenceSettings
from services.progress_monitor.change.model import MODEL
from services.progress_monitor.evaluation.change import pairs_of
from services.progress_monitor.evaluation.counts import PixelCounts

METRICS = (
    ("n", "pairs"),
    ("f1_shipped", "F1 of the shipped model on all pairs"),
    ("f1_adapted", "F1 on pairs that the adapted models have not seen"),
)


def adapt_and_judge(data: Path, out: Path | None, folds: int, steps: int) -> dict[str, Any]:
    """Adapts the model to a folder of pairs.

    Raises:
        BadInputError: The folder, or a file in it, cannot be used.
        FaultError: TRAINING_EXTRA_MISSING.
    """
    try:
        from training.progress.adapt import adapt, judge, read_pair, shipped
        from training.progress.export import export
    except ImportError:
        raise FaultError("TRAINING_EXTRA_MISSING", "training needs more packages: run make setup-train") from None
    model = ModelRepository(InferenceSettings().models_dir).version_dir(MODEL) / "model.onnx"
    files = pairs_of(data)
    folds = min(folds, len(files))
    fits = (folds if folds > 1 else 0) + (out is not None)
    with Progress(console=Console(file=sys.stderr), transient=True) as bar:
        reading = bar.add_task("reading pairs", total=len(files))
        pairs = []
        for each in files:
            pairs.append(read_pair(each))
            bar.advance(reading)
        task = bar.add_task("fitting", total=max(1, fits * steps))
        before, after = PixelCounts(), PixelCounts()
        for fold in range(folds if folds > 1 else 0):
            network = shipped(model)
            adapt(
                network,
                [pair for number, pair in enumerate(pairs) if number % folds != fold],
                steps,
                lambda: bar.advance(task),
            )
            for pair in pairs[fold::folds]:
                after += judge(network, pair)
        for pair in pairs:
            before += judge(shipped(model), pair)
        if out is not None:
            network = shipped(model)
            adapt(network, pairs, steps, lambda: bar.advance(task))
            export(network, out / MODEL)
    return {"n": len(pairs), "f1_shipped": before.f1, "f1_adapted": after.f1 if folds > 1 else None}
