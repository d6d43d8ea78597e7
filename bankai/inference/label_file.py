"""labels.json, in which a model's version folder says what the entries of its outputs mean."""

from pathlib import Path
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from bankai.errors import FaultError
from bankai.validation import first_problem

FILE = "labels.json"

THRESHOLD = "holds_at"
"""The entry that belongs to a model's calibration: it may differ between versions that mean the same."""

Labels = TypeVar("Labels")


def read_labels(version_dir: Path, form: type[Labels]) -> Labels:
    """Reads the labels of one model version.

    Args:
        version_dir: Folder of the version.
        form: What the file must hold.

    Raises:
        FaultError: MODEL_LABELS_INVALID, saying what is wrong. The message is for operators: it names the file.
    """
    file = version_dir / FILE
    try:
        return TypeAdapter(form).validate_json(file.read_bytes())
    except OSError as error:
        raise FaultError("MODEL_LABELS_INVALID", f"{file} cannot be read: {error.strerror}") from error
    except ValidationError as error:
        raise FaultError("MODEL_LABELS_INVALID", f"{file}: {first_problem(error)}") from error
