"""Characters and their places out of what a recogniser answers step by step.

Connectionist temporal classification (Graves et al., ICML 2006): every step of the line's width names a class, 0 for
none; neighbouring steps of one class are one character. This is best-path decoding.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_NAMES = str.maketrans("○", "〇")
"""The recogniser names the circle where a form prints the numeral zero."""
_PER_MILLE = re.compile(r"%(?:₀|0(?![\d.,%]))")
"""And sees two characters in the sign of tenths of a percent."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What stands on one line.

    Attributes:
        text: Its characters, without spaces at either end; empty where nothing was read.
        edges: (characters, 2): where each begins and ends, as shares of the line's width, in reading order.
        confidence: Mean probability of the characters; 0 where there are none.
    """

    text: str
    edges: NDArray[np.float32]
    confidence: float


NOTHING = Reading("", np.empty((0, 2), np.float32), 0.0)


def decode(classes: NDArray[np.int32], probabilities: NDArray[np.float32], labels: Sequence[str]) -> Reading:
    """Reads one line.

    Args:
        classes: (steps): the most probable class of each step.
        probabilities: (steps): its probability.
        labels: The character of each class; the first stands for none.
    """
    begins = np.flatnonzero(np.diff(classes, prepend=-1))
    ends = np.append(begins[1:], len(classes))
    surest = np.maximum.reduceat(probabilities, begins)
    named = classes[begins] != 0
    text = "".join(labels[label] for label in classes[begins[named]])
    first, last = len(text) - len(text.lstrip()), len(text.rstrip())
    if first >= last:
        return NOTHING
    inner = slice(first, last)
    centres = (begins + ends)[named][inner] / (2 * len(classes))
    text, edges = _folded(text[inner], _edges(centres))
    return Reading(text, edges, float(surest[named][inner].mean()))


def _folded(text: str, edges: NDArray[np.float32]) -> tuple[str, NDArray[np.float32]]:
    """Characters that the recogniser takes for others, as what they are."""
    text = text.translate(_NAMES)
    halves = [match.end() - 1 for match in _PER_MILLE.finditer(text)]
    if halves:
        edges[[half - 1 for half in halves], 1] = edges[halves, 1]
        edges = np.delete(edges, halves, axis=0)
    return _PER_MILLE.sub("‰", text), edges


def _edges(centres: NDArray[np.float64]) -> NDArray[np.float32]:
    """Characters meet half-way between their centres; the outer two are as wide outwards as inwards."""
    between = (centres[1:] + centres[:-1]) / 2
    first = 2 * centres[0] - between[0] if len(between) else 0.0
    last = 2 * centres[-1] - between[-1] if len(between) else 1.0
    borders = np.clip(np.concatenate([[first], between, [last]]), 0, 1)
    return np.stack([borders[:-1], borders[1:]], axis=1).astype(np.float32)
