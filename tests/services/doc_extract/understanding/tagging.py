"""Tags as a model that knows all would give them."""

from collections.abc import Mapping

import numpy as np

from services.doc_extract.schema import credit
from services.doc_extract.understanding.roles import Roles

FIELDS = credit().fields


def tagged(text: str, values: Mapping[str, str], sure: float = 0.9) -> Roles:
    """Roles of a text, a token for each character.

    Args:
        text: The text.
        values: Field by the words that are its value.
        sure: Probability of each tag.
    """
    size = len(text)
    begin = np.zeros((size, len(FIELDS)), np.float32)
    inside = np.zeros((size, len(FIELDS)), np.float32)
    for words, field in values.items():
        start = text.index(words)
        column = next(place for place, spec in enumerate(FIELDS) if spec.id == field)
        begin[start, column] = sure
        inside[start + 1 : start + len(words), column] = sure
    return Roles(np.arange(size, dtype=np.int32), np.arange(1, size + 1, dtype=np.int32), begin, inside)
