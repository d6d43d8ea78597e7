"""The population stability index, by which banks tell whether a scorecard's population has changed.

Siddiqi, Credit Risk Scorecards (Wiley, 2006): below 0.1 no change, above 0.25 a change to act on. Without any change it
is on average (bins - 1) * (1/n + 1/m) for samples of n and m (Yurdakul and Naranjo, Statistical properties of the
population stability index, Journal of Risk Model Validation, 2020): 0.01 for ten bins of 2,000 and 1,289.
"""

from collections.abc import Sequence
from math import log

_PSEUDO = 0.5
"""Added to every count: an empty bin would make the index infinite."""


def psi(expected: Sequence[int], observed: Sequence[int]) -> float:
    """How far two distributions over the same bins are apart; 0 where they are equal, never negative.

    Args:
        expected: Counts per bin in the reference; at least one bin.
        observed: Counts per bin now; as many.
    """
    wanted = sum(expected) + _PSEUDO * len(expected)
    seen = sum(observed) + _PSEUDO * len(observed)
    total = 0.0
    for before, now in zip(expected, observed, strict=True):
        was, became = (before + _PSEUDO) / wanted, (now + _PSEUDO) / seen
        total += (became - was) * log(became / was)
    return total
