"""Time that tests turn."""

from gateway.quota.clock import Clock

DAY_S = 86_400.0


class Time:
    """Starts an hour before a day of UTC ends."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.clock = Clock(lambda: 500.0 + self.passed, lambda: 20_000 * DAY_S - 3600 + self.passed)
