"""The files beside a model file. A process reads them once, when it starts."""

import json
from pathlib import Path
from typing import Any

from bankai.drift.reference import FILE as REFERENCE_FILE
from bankai.inference import label_file


def changed(old: Path, new: Path, model_file: str) -> list[str]:
    """Files that keep a running process from answering with a new version, as it has read the old version's.

    Args:
        old: Folder of the version that the process has started with.
        new: Folder of the version that it might go over to.
        model_file: Name of the model file. What begins with it, such as its external data, belongs to the model.

    Returns:
        Names of the files that differ or are in one of the folders only, sorted.
    """
    names = _companions(old, model_file) | _companions(new, model_file)
    return sorted(name for name in names if _meaning(old / name) != _meaning(new / name))


def _companions(folder: Path, model_file: str) -> set[str]:
    files = (str(file.relative_to(folder)) for file in folder.rglob("*") if file.is_file())
    return {name for name in files if not name.startswith(model_file) and name != REFERENCE_FILE}


def _meaning(file: Path) -> Any:
    """What must stay the same: the bytes, but for the threshold in labels, which is looked up for each answer."""
    try:
        content = file.read_bytes()
        if file.name == label_file.FILE:
            labels = json.loads(content)
            return {**labels, label_file.THRESHOLD: None} if isinstance(labels, dict) else labels
    except OSError:
        return None
    except ValueError:
        return content
    return content
