"""Where calls are kept between their streams, so that a broken stream is taken up without loss."""

import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Protocol

from services.intent.answers import SegmentAnswer
from services.intent.session import Session


class SessionStore(Protocol):
    """Keeps calls by id. Whatever happens to the store, a call that is under way goes on."""

    async def claim(self, call_id: str, owner: str, *, take_over: bool) -> bool:
        """Makes a stream the only one that may carry a call, across all processes that share the store.

        Args:
            call_id: The call.
            owner: The stream.
            take_over: Whether a stream that carries it now must give way.

        Returns:
            False where another stream carries it and need not give way.
        """
        ...

    async def release(self, call_id: str, owner: str) -> None:
        """Lets other streams carry the call, if this one still does."""
        ...

    async def load(self, call_id: str) -> Session | None:
        """What is kept of a call; None if it is not known any more.

        Raises:
            UnavailableError: SESSIONS_UNAVAILABLE, where that cannot be told now.
        """
        ...

    async def save(self, session: Session, owner: str, new: Sequence[SegmentAnswer]) -> None:
        """Keeps a call.

        Args:
            session: The call.
            owner: The stream that carries it.
            new: Answers given since the last save; none for a new call, which replaces an earlier one of the same id.

        Raises:
            ConflictError: CALL_BUSY, where another stream has taken the call over.
        """
        ...

    async def close(self) -> None:
        """Gives up every resource."""
        ...


class MemorySessionStore:
    """Keeps calls in this process, for a time after their last change and up to a number.

    Streams of one process exclude each other through `services.intent.live`, so there is nothing to claim here.

    Args:
        ttl_s: Seconds that a call is kept after its last change.
        max_calls: Calls kept at most; beyond it the one that changed longest ago is forgotten.
        now: Clock, in seconds.
    """

    def __init__(self, ttl_s: float, max_calls: int, now: Callable[[], float] = time.monotonic) -> None:
        self._ttl_s = ttl_s
        self._max_calls = max_calls
        self._now = now
        # In the order of their last change; as all live equally long, those that have expired lie in front.
        self._sessions: OrderedDict[str, tuple[float, Session]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._sessions)

    async def claim(self, call_id: str, owner: str, *, take_over: bool) -> bool:  # noqa: ARG002  # nothing to claim
        """See `SessionStore`."""
        return True

    async def release(self, call_id: str, owner: str) -> None:
        """See `SessionStore`."""

    async def load(self, call_id: str) -> Session | None:
        """See `SessionStore`."""
        self._forget()
        found = self._sessions.get(call_id)
        return found[1] if found else None

    async def save(self, session: Session, owner: str, new: Sequence[SegmentAnswer]) -> None:  # noqa: ARG002  # kept whole
        """See `SessionStore`."""
        self._sessions[session.call_id] = (self._now() + self._ttl_s, session)
        self._sessions.move_to_end(session.call_id)
        self._forget()

    async def close(self) -> None:
        """See `SessionStore`."""
        self._sessions.clear()

    def _forget(self) -> None:
        while self._sessions:
            expires_at, session = next(iter(self._sessions.values()))
            if expires_at > self._now() and len(self._sessions) <= self._max_calls:
                return
            del self._sessions[session.call_id]
