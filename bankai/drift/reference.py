"""reference.json: how the features of a model were distributed where it was validated, in its version's folder."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import quantiles
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bankai.errors import FaultError
from bankai.validation import first_problem

FILE = "reference.json"

Value = float | str
"""What a feature has for one answer: a number, or the name of a class."""

_BINS = 10
_LEAST_SHARE = 0.01
"""Classes rarer than this share one bin: their counts in a window are mostly chance."""


class Distribution(BaseModel):
    """How one feature was distributed.

    Attributes:
        edges: Upper bounds of all bins but the last, ascending, each within its bin; of a feature of numbers.
        classes: Class of each bin but the last, which holds every other; of a feature of classes.
        counts: Values per bin.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    edges: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = Field(min_length=2)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if bool(self.edges) == bool(self.classes):
            raise ValueError("either edges or classes must be given")
        if len(self.counts) != len(self.edges or self.classes) + 1:
            raise ValueError("counts must have one entry more than edges or classes")
        if list(self.edges) != sorted(set(self.edges)) or len(self.classes) != len(set(self.classes)):
            raise ValueError("edges must ascend, and no class be named twice")
        if min(self.counts) < 0 or not any(self.counts):
            raise ValueError("counts must not be negative, nor all 0")
        return self

    @property
    def binning(self) -> Callable[[Value], int]:
        """A function that says in which bin a value lies."""
        if self.edges:
            return partial(bisect_left, self.edges)
        return _Bins(zip(self.classes, range(len(self.classes)), strict=True)).__getitem__


class _Bins(dict[Value, int]):
    """Bins by class; the last for every class that has none."""

    def __missing__(self, _: Value) -> int:
        return len(self)


class Reference(BaseModel):
    """How every feature was distributed.

    Attributes:
        features: The distributions by the features' names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    features: Mapping[str, Distribution] = Field(min_length=1)


def measured(rows: Sequence[Mapping[str, Value]]) -> Reference:
    """The reference that answers on validation data make.

    Args:
        rows: The features of each answer, the same in all; at least two.
    """
    return Reference(features={name: _distribution([row[name] for row in rows]) for name in rows[0]})


def _distribution(values: Sequence[Value]) -> Distribution:
    edges: tuple[float, ...] = ()
    classes: tuple[str, ...] = ()
    if isinstance(values[0], str):
        counts = Counter(map(str, values))
        classes = tuple(sorted(name for name, count in counts.items() if count >= _LEAST_SHARE * len(values)))
    else:
        edges = tuple(sorted(set(quantiles(_numbers(values), n=_BINS, method="inclusive"))))
    size = len(edges or classes) + 1
    # The counts come from the very function that will sort what is compared with them.
    binning = Distribution(edges=edges, classes=classes, counts=(1,) * size).binning
    found = Counter(map(binning, values))
    return Distribution(edges=edges, classes=classes, counts=tuple(found[index] for index in range(size)))


def _numbers(values: Iterable[Value]) -> list[float]:
    return [round(float(value), 6) for value in values]


def read_reference(version_dir: Path, features: Iterable[str]) -> Reference | None:
    """Reads the reference of one model version; None where its folder has none.

    Args:
        version_dir: Folder of the version.
        features: Names of the features that are measured.

    Raises:
        FaultError: MODEL_REFERENCE_INVALID, saying what is wrong. The message is for operators: it names the file.
    """
    file = version_dir / FILE
    try:
        reference = Reference.model_validate_json(file.read_bytes())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise FaultError("MODEL_REFERENCE_INVALID", f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise FaultError("MODEL_REFERENCE_INVALID", f"{file}: {first_problem(error)}") from error
    if set(reference.features) != set(features):
        raise FaultError("MODEL_REFERENCE_INVALID", f"{file} must have the features {', '.join(sorted(features))}")
    return reference
