"""The models under one folder, laid out as Triton wants them: <name>/config.pbtxt, <name>/<version>/model.onnx."""

from pathlib import Path

from bankai.errors import FaultError, NotFoundError
from bankai.inference.config import ModelConfig, parse

CONFIG_FILE = "config.pbtxt"


class ModelRepository:
    """Reads a model repository. Nothing is cached: what lies there now is what it tells.

    Errors of this class name models and files: they are for operators. The backends turn them into what a caller may
    see.

    Args:
        models_dir: Folder of the repository.
    """

    def __init__(self, models_dir: Path) -> None:
        self.models_dir = models_dir

    def names(self) -> list[str]:
        """Names of all models, sorted.

        Raises:
            FaultError: MODEL_REPOSITORY_MISSING, where the folder is not there.
        """
        if not self.models_dir.is_dir():
            raise FaultError("MODEL_REPOSITORY_MISSING", "the folder that inference.models_dir names is not there")
        return sorted(file.parent.name for file in self.models_dir.glob(f"*/{CONFIG_FILE}"))

    def config(self, name: str) -> ModelConfig:
        """What a model's config.pbtxt says.

        Raises:
            NotFoundError: MODEL_NOT_FOUND.
            FaultError: MODEL_CONFIG_INVALID, saying what is wrong.
        """
        # The comparison keeps a name such as "../elsewhere" from leaving the repository.
        if name not in self.names():
            raise NotFoundError("MODEL_NOT_FOUND", f"there is no model {name!r} in the repository")
        try:
            text = (self.models_dir / name / CONFIG_FILE).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise FaultError("MODEL_CONFIG_INVALID", f"{CONFIG_FILE} of model {name!r} cannot be read") from error
        return parse(text, name)

    def versions(self, name: str) -> list[int]:
        """Versions that lie in a model's folder and that its version_policy allows, ascending.

        Raises:
            NotFoundError: MODEL_NOT_FOUND.
            FaultError: MODEL_CONFIG_INVALID.
        """
        allowed = self.config(name).versions
        return [version for version in self._numbers(name) if allowed is None or version in allowed]

    def present(self, name: str) -> list[int]:
        """Versions that lie in a model's folder, whether its version_policy allows them or not, ascending.

        Raises:
            NotFoundError: MODEL_NOT_FOUND.
            FaultError: MODEL_CONFIG_INVALID.
        """
        self.config(name)
        return self._numbers(name)

    def version_dir(self, name: str) -> Path:
        """Folder of the version that is served: the newest that the version_policy allows.

        Raises:
            NotFoundError: MODEL_NOT_FOUND.
            FaultError: MODEL_CONFIG_INVALID, or MODEL_VERSION_MISSING where no version lies there.
        """
        versions = self.versions(name)
        if not versions:
            raise FaultError("MODEL_VERSION_MISSING", f"model {name!r} has no version folder that its policy allows")
        return self.models_dir / name / str(versions[-1])

    def _numbers(self, name: str) -> list[int]:
        # As Triton does: a folder is a version if its name is a number without leading zeros.
        return sorted(int(folder.name) for folder in (self.models_dir / name).iterdir() if _is_version(folder))


def _is_version(folder: Path) -> bool:
    name = folder.name
    return name.isascii() and name.isdigit() and not name.startswith("0") and folder.is_dir()
