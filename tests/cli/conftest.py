import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.toy import write_models

Run = Callable[..., subprocess.CompletedProcess[str]]
Write = Callable[..., Path]


@pytest.fixture(scope="session")
def toy_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def environment(toy_models: Path) -> dict[str, str]:
    """The environment of a process that serves the toy models."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("BANKAI_")}
    repository = Path(__file__).parents[2]
    return {
        **inherited,
        "BANKAI_INTENT_INFERENCE__MODELS_DIR": str(toy_models),
        "PYTHONPATH": str(repository),
        "COLUMNS": "160",
    }


@pytest.fixture
def bankai(environment: dict[str, str], tmp_path: Path) -> Run:
    """Runs the command in an empty folder."""

    def run(*arguments: str | Path, stdin: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
            cwd=tmp_path,
            env={**environment, **variables},
        )

    return run


@pytest.fixture
def write_lines(tmp_path: Path) -> Write:
    """Writes a file of JSON lines."""

    def write(*rows: Any, name: str = "gold.jsonl") -> Path:
        file = tmp_path / name
        file.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        return file

    return write


def command(*arguments: str | Path) -> list[str]:
    return [sys.executable, "-c", "from bankai.cli import main; main()", *map(str, arguments)]
