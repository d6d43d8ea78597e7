"""What time it is."""

import time
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Clock:
    """Two clocks, which tests replace.

    Attributes:
        monotonic: Seconds that only go forward; rates are measured by it.
        wall: Seconds since 1970; days of UTC are told by it.
    """

    monotonic: Callable[[], float] = time.monotonic
    wall: Callable[[], float] = time.time
