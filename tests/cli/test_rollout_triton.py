"""`bankai models promote --triton` and `rollback --triton` against a real Triton."""

import shutil
from pathlib import Path

import pytest
from tritonclient.grpc import InferenceServerClient

from bankai.inference.triton_server import TritonInstallation, TritonServer
from tests.cli.conftest import Run, Write
from tests.cli.test_rollout import GATE, LINES
from tests.cli.toy import WORDS, write_models

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not TritonInstallation().complete, reason="there is no Triton server: run `make triton`"),
]


def test_there_and_back(
    bankai: Run, write_lines: Write, toy_models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "models"
    shutil.copytree(toy_models, repository)
    (repository / "intent" / "gate.yaml").write_text(GATE)
    monkeypatch.setitem(WORDS, "贼", WORDS["诈"])
    candidate = write_models(tmp_path / "candidate") / "intent" / "1"
    with TritonServer(repository, log=tmp_path / "log.txt") as server, InferenceServerClient(server.grpc_url) as client:

        def ready() -> list[bool]:
            return [client.is_model_ready("intent", version) for version in ("1", "2")]

        options = ("--models-dir", repository, "--triton", server.grpc_url)
        done = bankai("models", "promote", "intent", candidate, "--data", write_lines(*LINES), *options)
        assert done.returncode == 0, done.stderr
        assert ready() == [False, True]
        done = bankai("models", "rollback", "intent", *options)
        assert done.returncode == 0, done.stderr
        assert ready() == [True, False]
        # Another vocabulary cannot be gone over to while services run.
        (candidate / "tokenizer.json").write_text("{}")
        done = bankai("models", "promote", "intent", candidate, "--data", write_lines(*LINES), *options)
        assert done.returncode == 1
        assert "tokenizer.json differ" in done.stderr
        assert ready() == [True, False]
