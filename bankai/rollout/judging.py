"""Judging a version by `bankai eval`, in a process of its own, before it is one."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import file_digest, sha256
from pathlib import Path

from bankai.errors import FaultError, InvalidRequestError
from bankai.inference.repository import CONFIG_FILE, ModelRepository
from bankai.rollout.gate import Metrics
from bankai.rollout.versions import pointed

_BAD_INPUT = 2
"""Exit code of `bankai` where the input is wrong."""

Judge = Callable[[Path, str, str, Path], Metrics]
"""Judges the models of a repository: its folder, the service, the evaluation's command, the data."""


@contextmanager
def beside(repository: ModelRepository, name: str, version_dir: Path) -> Iterator[Path]:
    """A repository that is like another but for the version of one model.

    Args:
        repository: The other.
        name: Name of the model.
        version_dir: Files of the version to serve in it, wherever they lie.

    Yields:
        Its folder.
    """
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for other in repository.names():
            if other != name:
                (folder / other).symlink_to((repository.models_dir / other).resolve())
        (folder / name).mkdir()
        (folder / name / "1").symlink_to(version_dir.resolve())
        config = (repository.models_dir / name / CONFIG_FILE).read_text(encoding="utf-8")
        (folder / name / CONFIG_FILE).write_text(pointed(config, 1), encoding="utf-8")
        yield folder


def evaluate(models_dir: Path, service: str, command: str, data: Path) -> Metrics:
    """Runs `bankai eval` with the models of a repository in this machine's processor; a `Judge`.

    Raises:
        InvalidRequestError: EVALUATION_FAILED, where the data are wrong; what exactly stands on stderr.
        FaultError: EVALUATION_FAILED for another reason.
    """
    settings = f"BANKAI_{service.upper()}_INFERENCE__"
    done = subprocess.run(  # noqa: S603  # the command is ours
        [sys.executable, "-c", "from bankai.cli import main; main()", "eval", command, str(data.resolve())],
        env={**os.environ, f"{settings}MODELS_DIR": str(models_dir), f"{settings}BACKEND": "onnx"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
    )
    try:
        metrics = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    except (IndexError, ValueError):
        metrics = None
    if not isinstance(metrics, dict):
        kind = InvalidRequestError if done.returncode == _BAD_INPUT else FaultError
        raise kind("EVALUATION_FAILED", f"`bankai eval {command} {data}` failed; see above")
    return metrics


def data_digest(data: Path) -> str:
    """SHA-256 of a file, or over the names and contents of a folder's files, in hex."""
    if data.is_file():
        with data.open("rb") as content:
            return file_digest(content, "sha256").hexdigest()
    total = sha256()
    for file in sorted(file for file in data.rglob("*") if file.is_file()):
        total.update(f"{data_digest(file)}  {file.relative_to(data).as_posix()}\n".encode())
    return total.hexdigest()
