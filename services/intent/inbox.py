"""What a stream has received and not answered yet."""

import asyncio
import time
from collections import deque

from services.intent.segment import Segment


class Inbox:
    """Holds a few finals, in order, and the newest partial. A sender of more finals waits, which slows a flood down.

    Args:
        max_finals: Finals that may wait.
    """

    def __init__(self, max_finals: int) -> None:
        self.received_at = time.monotonic()
        """When the client last sent something, on the monotonic clock."""
        self.closed = False
        """Whether the client will send nothing more."""
        self._max_finals = max_finals
        self._finals: deque[Segment] = deque()
        self._current: Segment | None = None
        self._partial: Segment | None = None
        self._ended = False
        self._final_came = asyncio.Event()
        self._partial_came = asyncio.Event()
        self._room = asyncio.Event()

    @property
    def idle(self) -> bool:
        """Whether nothing waits and no final is being answered."""
        return not self._finals and self._current is None

    async def put_final(self, segment: Segment) -> None:
        """Takes in a final, as soon as there is room."""
        while len(self._finals) >= self._max_finals:
            self._room.clear()
            await self._room.wait()
        self._finals.append(segment)
        self._final_came.set()
        if self._partial is not None and self._partial.segment_id == segment.segment_id:
            self._partial = None

    def put_partial(self, segment: Segment) -> None:
        """Takes in a partial in place of the one that waits, unless its final is here already."""
        if not self.overtaken(segment):
            self._partial = segment
            self._partial_came.set()

    def touch(self) -> None:
        """Notes that the client has sent something."""
        self.received_at = time.monotonic()

    def overtaken(self, segment: Segment) -> bool:
        """Whether a partial's final waits or is being answered."""
        current = self._current
        return any(final.segment_id == segment.segment_id for final in self._finals) or (
            current is not None and current.segment_id == segment.segment_id
        )

    def close(self) -> None:
        """Notes that the client will send nothing more; what waits is still handed out."""
        self.closed = True
        self._final_came.set()

    def end(self) -> None:
        """Hands out nothing more, unless the client has closed: then what waits is its last."""
        self._ended = True
        self._final_came.set()

    async def next_final(self) -> Segment | None:
        """The next final, once the one before is answered; None when there will be none."""
        self._current = None
        while not self._finals or (self._ended and not self.closed):
            if self.closed or self._ended:
                return None
            self._final_came.clear()
            await self._final_came.wait()
        self._current = self._finals.popleft()
        self._room.set()
        return self._current

    async def next_partial(self) -> Segment:
        """The newest partial."""
        while self._partial is None:
            self._partial_came.clear()
            await self._partial_came.wait()
        partial, self._partial = self._partial, None
        return partial
