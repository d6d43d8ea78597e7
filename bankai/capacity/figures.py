"""What a piece of work costs, as measured or assumed; figures.yaml says which and by what."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, TypeAdapter, ValidationError

from bankai.errors import InvalidRequestError
from bankai.settings import Group
from bankai.validation import first_problem

OURS = Path(__file__).with_name("figures.yaml")


class Figure(Group):
    """One figure.

    Attributes:
        value: How much.
        unit: Of what.
        kind: Whether somebody has measured it.
        source: The command that measures it, or why it is assumed.
    """

    value: float = Field(gt=0, allow_inf_nan=False)
    unit: str
    kind: Literal["measured", "assumed"]
    source: str


Figures = Mapping[str, Figure]
"""Figures by name; every name of figures.yaml is there."""

_FILE: TypeAdapter[dict[str, Figure]] = TypeAdapter(dict[str, Figure])


def read_figures(own: Path | None = None) -> Figures:
    """Reads our figures, and puts a bank's own in their places.

    Args:
        own: YAML file with those that differ.

    Raises:
        InvalidRequestError: FIGURES_INVALID, the file cannot be read or names a figure that is not ours.
    """
    figures = _read(OURS)
    if own is None:
        return figures
    theirs = _read(own)
    if unknown := sorted(theirs.keys() - figures.keys()):
        raise InvalidRequestError("FIGURES_INVALID", f"{own}: there is no figure {unknown[0]}")
    return {**figures, **theirs}


def _read(file: Path) -> dict[str, Figure]:
    try:
        return _FILE.validate_python(yaml.safe_load(file.read_bytes()))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InvalidRequestError("FIGURES_INVALID", f"{file} cannot be read as YAML: {type(error).__name__}") from None
    except ValidationError as error:
        raise InvalidRequestError("FIGURES_INVALID", f"{file}: {first_problem(error)}") from None
