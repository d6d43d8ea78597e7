"""What a version of the role model knows, as its folder carries it in labels.json."""

import math
from collections.abc import Mapping

from pydantic import BaseModel, ConfigDict, Field

from bankai.errors import FaultError

_CERTAIN = 1e-6


def logit(score: float) -> float:
    """log(score / (1 - score)), finite for 0 and 1, too."""
    inner = min(1 - _CERTAIN, max(_CERTAIN, score))
    return math.log(inner / (1 - inner))


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
        return 1 / (1 + math.exp(-self.scale * logit(score) - self.shift))


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


def mismatch(model: str, field: str) -> FaultError:
    """What is raised where a model knows a field that the built-in schema does not have."""
    return FaultError("MODEL_LABELS_MISMATCH", f"model {model!r} knows a field {field!r} that the schema does not have")
