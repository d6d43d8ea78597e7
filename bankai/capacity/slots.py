"""Work that waits for slots, whose number changes as pods come and go."""

from collections import deque

import simpy


class Slots:
    """So many pieces of work at once; the others wait in the order in which they came.

    Args:
        env: The simulation.
        count: How many at once.

    Attributes:
        busy: Pieces that are worked on; more than there are slots where some were taken away.
        waited_s: Seconds that the last piece waited for its turn.
    """

    def __init__(self, env: simpy.Environment, count: int) -> None:
        self._env, self._count = env, count
        self._waiting: deque[tuple[float, simpy.Event]] = deque()
        self.busy = 0
        self.waited_s = 0.0

    @property
    def waiting(self) -> int:
        """Pieces that wait."""
        return len(self._waiting)

    @property
    def wait_s(self) -> float:
        """How long the first that waits has waited; of the last that got its turn where none does."""
        return self._env.now - self._waiting[0][0] if self._waiting else self.waited_s

    def take(self) -> simpy.Event:
        """Happens when it is a piece's turn; `give` must follow."""
        turn = self._env.event()
        self._waiting.append((self._env.now, turn))
        self._admit()
        return turn

    def give(self) -> None:
        """A piece has ended."""
        self.busy -= 1
        self._admit()

    def resize(self, count: int) -> None:
        """There are so many slots from now on."""
        self._count = count
        self._admit()

    def _admit(self) -> None:
        while self._waiting and self.busy < self._count:
            since, turn = self._waiting.popleft()
            self.waited_s = self._env.now - since
            self.busy += 1
            turn.succeed()
