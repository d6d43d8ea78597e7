"""What a version of the role model knows, as its folder carries it in labels.json."""

import math
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bankai.errors import FaultError

FILE = "labels.json"
_CERTAIN = 1e-6


class Calibration(BaseModel):
    """From a field's scores to probabilities, by a logistic curve (Platt, 1999).

    Attributes:
        scale: Of the score's logit.
        shift: Added to it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    scale: float = Field(gt=0)
    shift: float

    def probability(self, score: float) -> float:
        """The probability that a value with this score is right."""
        inner = min(1 - _CERTAIN, max(_CERTAIN, score))
        return 1 / (1 + math.exp(-self.scale * math.log(inner / (1 - inner)) - self.shift))


class RoleLabels(BaseModel):
    """The labels.

    Attributes:
        model: Name of the model.
        fields: Ids of the fields, in the order of its outputs.
        calibration: For each field how its scores are read.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    model: str
    fields: tuple[str, ...] = Field(min_length=1)
    calibration: Mapping[str, Calibration]


def load(version_dir: Path) -> RoleLabels:
    """Reads the labels of one model version.

    Raises:
        FaultError: MODEL_LABELS_INVALID. The message is for operators: it names the file.
    """
    file = version_dir / FILE
    try:
        return RoleLabels.model_validate_json(file.read_bytes())
    except OSError as error:
        raise FaultError("MODEL_LABELS_INVALID", f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise FaultError("MODEL_LABELS_INVALID", f"{file}: {where}: {first['msg']}") from error


def mismatch(model: str, field: str) -> FaultError:
    """What is raised where a model knows a field that the built-in schema does not have."""
    return FaultError("MODEL_LABELS_MISMATCH", f"model {model!r} knows a field {field!r} that the schema does not have")
