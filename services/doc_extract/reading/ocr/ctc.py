"""Characters and their places out of what a recogniser answers step by step.

Connectionist temporal classification (Graves et al., ICML 2006): every step of the line's width names a class, 0 for
none; neighbouring steps of one class are one character. This is best-path decoding.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_FOLDED = str.maketrans("○", "〇")
"""The recogniser names the circle where a form prints the numeral zero."""


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
    begins = np.flatnonzero(np.diff(classes, prepend=0))
    ends = np.append(begins[1:], len(classes))
    named = classes[begins] != 0
    begins, ends = begins[named], ends[named]
    text = "".join(labels[label] for label in classes[begins])
    first, last = len(text) - len(text.lstrip()), len(text.rstrip())
    if first >= last:
        return NOTHING
    inner = slice(first, last)
    centres = (begins[inner] + ends[inner]) / (2 * len(classes))
    return Reading(text[inner].translate(_FOLDED), _edges(centres), float(probabilities[begins[inner]].mean()))


def _edges(centres: NDArray[np.float64]) -> NDArray[np.float32]:
    """Characters meet half-way between their centres; the outer two are as wide outwards as inwards."""
    between = (centres[1:] + centres[:-1]) / 2
    first = 2 * centres[0] - between[0] if len(between) else 0.0
    last = 2 * centres[-1] - between[-1] if len(between) else 1.0
    borders = np.clip(np.concatenate([[first], between, [last]]), 0, 1)
    return np.stack([borders[:-1], borders[1:]], axis=1).astype(np.float32)
