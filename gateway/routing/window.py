"""Counts of calls over a rolling window of time."""

from collections.abc import Callable

_SLICES = 10


class Window:
    """Counts calls and failures of the latest seconds, in slices of a tenth of the window.

    Args:
        length_s: Length of the window, in seconds.
        clock: Seconds that only grow.
    """

    def __init__(self, length_s: float, clock: Callable[[], float]) -> None:
        self._slice_s = length_s / _SLICES
        self._clock = clock
        self._numbers = [-1] * _SLICES
        self._calls = [0] * _SLICES
        self._failures = [0] * _SLICES

    def add(self, *, failed: bool) -> None:
        """Counts a call."""
        number = int(self._clock() / self._slice_s)
        index = number % _SLICES
        if self._numbers[index] != number:
            self._numbers[index], self._calls[index], self._failures[index] = number, 0, 0
        self._calls[index] += 1
        self._failures[index] += failed

    def totals(self) -> tuple[int, int]:
        """Calls and failures within the window."""
        oldest = int(self._clock() / self._slice_s) - _SLICES
        live = [index for index, number in enumerate(self._numbers) if number > oldest]
        return sum(self._calls[index] for index in live), sum(self._failures[index] for index in live)
