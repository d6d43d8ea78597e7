"""What the state model looks at: a date's measures in the light of those before.

A roof may look like bare soil on a single date; that walls stood there before tells them apart.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.meaning.measures import MEASURED, Measures

FEATURES = 3 * MEASURED + 15
"""Numbers of each date."""

_FADES_DAYS = 45.0
"""Days after which a date counts e times less in what was seen of late."""
_CLEARLY_SEEN = 0.5
"""Usable share from which a date may set a highest value."""
_BEGUN = 0.1
"""Changed share of the site from which work is under way."""
_LONG_DAYS, _SHORT_DAYS, _TWO_MONTHS = 400.0, 100.0, 60.0


def features(days: Sequence[float], measures: Sequence[Measures]) -> NDArray[np.float32]:
    """The features of every date, each from itself and those before.

    Args:
        days: Day of each date, in order.
        measures: What was measured on each; at least one.

    Returns:
        [dates, FEATURES]: what was measured, its highest values so far, its mean of late, how long work has gone on,
        how much was surely seen, for how long each built surface has lain there, and how much has been built anew.
    """
    seen = np.stack([each.features() for each in measures])
    shares, certain = (np.array([getattr(each, name) for each in measures]) for name in ("shares", "certain"))
    usable, when = np.array([each.usable for each in measures]), np.array(days)
    clear = np.where(usable[:, None] > _CLEARLY_SEEN, seen, 0)
    clear[0] = seen[0]
    # The share of ground that is as before only falls: its highest value says nothing.
    highest = np.maximum.accumulate(clear, 0)[:, 1:]
    weight = np.tril(np.exp((when[None, :] - when[:, None]).clip(max=0) / _FADES_DAYS) * np.maximum(usable, 1e-3))
    late = weight @ seen / weight.sum(1, keepdims=True)
    surely = np.concatenate((np.sqrt(certain), usable[:, None]), 1)
    return np.concatenate((seen, highest, late, _age(shares, when), surely, _gone_by(shares, when)), 1).astype(
        np.float32
    )


def _age(shares: NDArray[np.float64], when: NDArray[np.float64]) -> NDArray[np.float64]:
    """How long work has gone on; [dates, 2]."""
    begun = np.flatnonzero(shares[:, Surface.AS_BEFORE] < 1 - _BEGUN)
    since = np.clip(when - when[begun[0]], 0, None) if len(begun) else np.zeros(len(when))
    return np.stack((since / _LONG_DAYS, np.minimum(since / _SHORT_DAYS, 1)), 1)


def _gone_by(shares: NDArray[np.float64], when: NDArray[np.float64]) -> NDArray[np.float64]:
    """What has been seen over time; [dates, 7]."""
    built = shares[:, Surface.FOUNDATION :]
    lain = np.cumsum(built * np.diff(when, prepend=when[0])[:, None], 0) / _TWO_MONTHS
    total = built.sum(1)
    anew = np.cumsum(np.maximum(np.diff(total, prepend=total[0]), 0))
    past = [
        _since_highest(shares[:, surface], when) / _SHORT_DAYS for surface in (Surface.FOUNDATION, Surface.STRUCTURE)
    ]
    return np.column_stack((lain, anew, *past))


def _since_highest(share: NDArray[np.float64], when: NDArray[np.float64]) -> NDArray[np.float64]:
    """Days since a share was highest, up to each date."""
    first = [int(share[: number + 1].argmax()) for number in range(len(share))]
    return when - when[first]
