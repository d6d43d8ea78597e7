"""A national bank's day, as shares of its peak. Assumed: a bank puts its own in their places once it has counted."""

from dataclasses import dataclass

import numpy as np

_CALLS = (3, 2, 2, 2, 2, 4, 10, 25, 60, 92, 100, 95, 75, 70, 85, 95, 90, 78, 55, 40, 30, 20, 12, 6, 3)
"""Calls at once at each full hour, in percent of the peak."""
_PAGES = (0, 0, 0, 0, 0, 0, 1, 3, 8, 13, 15, 11, 6, 8, 12, 11, 7, 3, 1, 1, 0, 0, 0, 0, 0)
"""Pages that callers wait for, by the hour, in percent of the day's."""


@dataclass(frozen=True)
class Day:
    """What happens when; hours of the day.

    Attributes:
        outage_at: When the bank's app fails, and customers call instead.
        outage_hours: How long.
        outage: What is added then, as a share of the peak.
        batch_at: When the day's batch of loan files is handed in.
        batch: Share of the day's pages that it has.
        month_end: How many times a usual day's pages there are.
        pass_at: When the pictures of a satellite's pass are there, a week's all at once.
    """

    outage_at: float = 20.0
    outage_hours: float = 0.5
    outage: float = 0.5
    batch_at: float = 17.0
    batch: float = 0.6
    month_end: float = 3.0
    pass_at: float = 11.5

    def calls(self, hour: float) -> float:
        """Calls at once as a share of the peak."""
        usual = float(np.interp(hour, range(25), _CALLS)) / 100
        within = self.outage_at <= hour < self.outage_at + self.outage_hours
        return usual + (self.outage if within else 0.0)

    def pages(self, hour: float) -> float:
        """Share of a day's pages, but for the batch, that an hour from now brings."""
        return float(np.interp(hour, range(25), _PAGES)) / sum(_PAGES)
