"""What is looked up by the version of the model `intent` that has answered: it may change while the service runs."""

from dataclasses import dataclass
from pathlib import Path

import structlog

from bankai.drift.reference import read_reference
from bankai.drift.watch import DriftWatch
from bankai.errors import FaultError
from bankai.inference.label_file import read_labels
from services.intent.features import FEATURES
from services.intent.labels import Labels

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class ServedVersion:
    """One version.

    Attributes:
        version: Its number.
        holds_at: Probability from which an intent counts as expressed.
        drift: Compares its answers with its reference; None where it has none.
    """

    version: str
    holds_at: float
    drift: DriftWatch | None


class ModelVersions:
    """The versions that answer. Everything else that their folders say is the same in all of them.

    Args:
        version_dir: Folder of the version that is served at the start; later ones lie beside it.

    Raises:
        FaultError: MODEL_LABELS_INVALID or MODEL_REFERENCE_INVALID.
    """

    def __init__(self, version_dir: Path) -> None:
        self._model_dir = version_dir.parent
        self._known: dict[str, ServedVersion] = {}
        self.current = self._read(version_dir.name)
        self._publish()

    def of(self, version: str) -> ServedVersion:
        """The version of an answer; it is the current one from then on.

        Args:
            version: As the backend names it.
        """
        if version != self.current.version:
            if self.current.drift:
                self.current.drift.withdraw()
            self.current = self._known.get(version) or self._follow(version)
            self._publish()
        return self.current

    def _publish(self) -> None:
        self._known[self.current.version] = self.current
        if self.current.drift:
            self.current.drift.publish()

    def _follow(self, version: str) -> ServedVersion:
        try:
            return self._read(version)
        except FaultError as error:
            log.error("files of a version are wrong", version=version, reason=error.reason, problem=error.message)  # noqa: TRY400  # no traceback
            return ServedVersion(version, self.current.holds_at, None)

    def _read(self, version: str) -> ServedVersion:
        folder = self._model_dir / version
        labels = read_labels(folder, Labels)
        reference = read_reference(folder, FEATURES)
        return ServedVersion(version, labels.holds_at, DriftWatch(labels.model, reference) if reference else None)
