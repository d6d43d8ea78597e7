from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the training extra")

from bankai.inference.repository import ModelRepository
from bankai.settings import InferenceSettings
from services.progress_monitor.change.model import MODEL
from services.progress_monitor.cli.adapting import adapt_and_judge
from services.progress_monitor.evaluation.change import pairs_of
from tests.cli.test_eval_sites import pair
from training.progress.adapt import judge, read_pair, shipped

pytestmark = pytest.mark.slow


def test_the_shipped_model_can_be_gone_on_from(tmp_path: Path) -> None:
    pair(tmp_path / "one")
    network = shipped(ModelRepository(InferenceSettings().models_dir).version_dir(MODEL) / "model.onnx")
    assert judge(network.eval(), read_pair(pairs_of(tmp_path)[0])).f1 > 0.6


def test_pairs_are_left_out_in_turn_and_a_model_is_written(tmp_path: Path) -> None:
    for name in ("one", "two"):
        pair(tmp_path / "pairs" / name)
    found = adapt_and_judge(tmp_path / "pairs", tmp_path / "models", folds=2, steps=4)
    assert found["n"] == 2
    assert 0 <= found["f1_adapted"] <= 1
    written = ModelRepository(tmp_path / "models")
    assert written.config(MODEL).inputs[0].name == "before"
    assert (written.version_dir(MODEL) / "model.onnx").stat().st_size > 50_000
