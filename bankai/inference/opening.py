"""Opening the version of a model that its repository names, now and again when it names another."""

from dataclasses import dataclass
from pathlib import Path

import onnxruntime

from bankai.errors import BankaiError, FaultError
from bankai.inference import companions
from bankai.inference.config import ModelConfig
from bankai.inference.repository import CONFIG_FILE, ModelRepository
from bankai.inference.session import open_session


@dataclass(frozen=True)
class Opened:
    """A version of a model, ready to run.

    Attributes:
        config: The model's configuration when it was opened.
        folder: Folder of the version; its name is the version.
        session: Runs it.
    """

    config: ModelConfig
    folder: Path
    session: onnxruntime.InferenceSession


def open_served(repository: ModelRepository, name: str, threads: int) -> Opened:
    """Opens the version that the repository serves.

    Raises:
        NotFoundError: MODEL_NOT_FOUND.
        FaultError: What `ModelRepository` and `open_session` raise.
    """
    config, folder = repository.config(name), repository.version_dir(name)
    return Opened(config, folder, open_session(folder, config, threads=threads))


class Successor:
    """Looks for the version that is to take over from the one that is loaded. For one thread at a time.

    Args:
        repository: Where the model lies.
        name: Name of the model.
        loaded: Folder of the version that is loaded.
        threads: Threads within one run.
    """

    def __init__(self, repository: ModelRepository, name: str, loaded: Path, threads: int) -> None:
        self._repository = repository
        self._name = name
        self._loaded = loaded
        self._threads = threads
        self._refused: object = None

    def look(self) -> Opened | None:
        """The version that the repository serves now, opened; None where that is the loaded one.

        Raises:
            BankaiError: It cannot take over, and why. Raised once: what was refused is not tried again before its
                files change.
        """
        try:
            config, folder, stamp = self._served()
        except BankaiError as error:
            if self._is_news((error.reason, error.message)):
                raise
            return None
        if folder.name == self._loaded.name:
            self._refused = None
            return None
        if not self._is_news(stamp):
            return None
        differing = companions.changed(self._loaded, folder, config.file)
        if differing:
            raise FaultError(
                "MODEL_RESTART_NEEDED",
                f"version {folder.name} of model {self._name!r} has another {differing[0]}, which is read at start",
            )
        return Opened(config, folder, open_session(folder, config, threads=self._threads))

    def _served(self) -> tuple[ModelConfig, Path, object]:
        """What the repository serves now, and what tells its files from what they were when they were refused."""
        try:
            config, folder = self._repository.config(self._name), self._repository.version_dir(self._name)
            files = [folder.parent / CONFIG_FILE, *sorted(folder.rglob("*"))]
            stats = [(file, file.stat()) for file in files]
        except OSError as error:
            problem = f"the folder of model {self._name!r} cannot be read: {error.strerror}"
            raise FaultError("MODEL_CONFIG_INVALID", problem) from error
        return config, folder, [(file, stat.st_mtime_ns, stat.st_size) for file, stat in stats]

    def _is_news(self, what: object) -> bool:
        news = what != self._refused
        self._refused = what
        return news
