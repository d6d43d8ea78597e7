"""`bankai models list` and `bankai intents`."""

from pathlib import Path

from tests.cli.conftest import Run


def test_models_list(bankai: Run, toy_models: Path, tmp_path: Path) -> None:
    done = bankai("models", "list", "--models-dir", toy_models)
    assert done.returncode == 0, done.stderr
    for part in ("intent_partial", "ngram_ids int64 [-1]", "intent_probs float32 [6]", "MB", "onnx", "yes"):
        assert part in done.stdout
    done = bankai("models", "list", "--models-dir", toy_models, "--triton", "127.0.0.1:1")
    assert (done.returncode, "yes" in done.stdout) == (0, False)
    done = bankai("models", "list", "--models-dir", tmp_path / "none")
    assert done.returncode == 1
    assert done.stderr.startswith("bankai: ")
    assert "Traceback" not in done.stderr


def test_intents(bankai: Run) -> None:
    done = bankai("intents")
    assert done.returncode == 0, done.stderr
    for part in ("card_loss_report", "挂失", "report a lost card", "愤怒不满", "Model intent 1"):
        assert part in done.stdout
