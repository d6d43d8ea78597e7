"""A site on one date in numbers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.progress_monitor.change.surfaces import CHANGED, Surface

MEASURED = 10
"""Numbers of `Measures.features`."""

_SURE = 0.5


@dataclass(frozen=True, slots=True)
class Measures:
    """What a site looks like on one date.

    Attributes:
        usable: Share of the site that shows the ground, in [0, 1].
        shares: Mean probability of each surface but `HIDDEN` over the usable part of the site; six numbers.
        certain: Share of the usable part of the site where each surface but `HIDDEN` is the most probable; six numbers.
        outside: Share of the usable part of the ring that has changed for sure.
        worked_month: Share of the site that was built on since the picture of a month before; None without such a
            picture.
        worked_quarter: The same since the picture of a quarter before.
    """

    usable: float
    shares: tuple[float, ...]
    certain: tuple[float, ...]
    outside: float
    worked_month: float | None = None
    worked_quarter: float | None = None

    @property
    def changed(self) -> float:
        """Share of the usable part of the site that has changed."""
        return 1.0 - self.shares[Surface.AS_BEFORE]

    def features(self) -> NDArray[np.float32]:
        """What the state model looks at; [MEASURED], all about within [0, 1]."""
        shares = np.array(self.shares, np.float32)
        built = shares[[Surface.FOUNDATION, Surface.STRUCTURE, Surface.COVERED]]
        within = built / max(float(built.sum()), 0.02)
        roofed = self.certain[Surface.COVERED]
        return np.concatenate((np.sqrt(shares), within, [np.float32(np.sqrt(roofed))])).astype(np.float32)


UNCHANGED = Measures(0.0, (1.0, *[0.0] * 5), (1.0, *[0.0] * 5), 0.0)
"""A site of which nothing is seen, or nothing but what was there before."""


def measure(
    surfaces: NDArray[np.float32], usable: NDArray[np.bool_], site: NDArray[np.bool_], ring: NDArray[np.bool_]
) -> Measures:
    """Measures a site.

    Args:
        surfaces: Probability of each `Surface`; [7, rows, columns].
        usable: Pixels that show the ground; [rows, columns].
        site: Pixels of the site.
        ring: Pixels around it.
    """
    shown = site & usable
    seen = float(shown.sum()) / max(1.0, float(site.sum()))
    if not shown.any():
        return UNCHANGED
    inside = surfaces[: Surface.HIDDEN, shown]
    inside = inside / np.maximum(inside.sum(0), 1e-6)
    most = np.bincount(inside.argmax(0), minlength=len(inside)) / inside.shape[1]
    around = surfaces[:, ring & usable]
    outside = float((around[list(CHANGED)].sum(0) > _SURE).mean()) if around.size else 0.0
    shares = inside.mean(1)
    return Measures(seen, tuple(float(each) for each in shares), tuple(float(each) for each in most), outside)
