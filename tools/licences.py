"""Under which licences packages and models come."""

import re
from importlib.metadata import Distribution
from pathlib import Path

_COPYLEFT = re.compile(r"\b[AL]?GPL|\bGNU\b", re.IGNORECASE)
_LONGEST = 60
"""Longer ones are whole texts."""


def of_package(package: Distribution) -> str:
    """What a Python package says of its licence: an SPDX expression, a name, or "unknown".

    Args:
        package: As it is installed.
    """
    metadata = package.metadata
    (expression,) = metadata.get_all("License-Expression", [""])
    (name,) = metadata.get_all("License", [""])
    classifiers = [each for each in metadata.get_all("Classifier", []) if each.startswith("License ::")]
    classified = " OR ".join(each.rpartition(" :: ")[2] for each in classifiers)
    return expression or (name if len(name) <= _LONGEST else "") or classified or name.partition("\n")[0] or "unknown"


def of_model(model: Path) -> list[str]:
    """The licences that a model's card names, of weights and of what they were made from.

    Args:
        model: Its folder.

    Returns:
        Each once; the project's own where the card names none.
    """
    file = model / "MODEL_CARD.md"
    card = file.read_text(encoding="utf-8") if file.exists() else ""
    if elsewhere := re.match(r"See \[\w+\]\(\.\./(\w+)/MODEL_CARD\.md\)", card):
        return of_model(model.parent / elsewhere[1])
    found: list[str] = []
    column = None
    for line in card.splitlines():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if "licence" in cells:
            column = cells.index("licence")
        elif not cells:
            column = None
        elif column is not None and cells[column].strip("-"):
            found.append(cells[column])
    return list(dict.fromkeys(found)) or ["Apache-2.0"]


def copyleft_alone(licence: str) -> bool:
    """Whether one of the GNU licences is the only choice.

    Args:
        licence: An SPDX expression, or a name.
    """
    return all(_COPYLEFT.search(choice) for choice in re.split(r"\bOR\b", licence))
