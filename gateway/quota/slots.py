"""How many calls of one kind a channel may have in flight."""

import math
from collections.abc import Callable

from bankai.errors import ExhaustedError

Refuse = Callable[[str, int], ExhaustedError]


class Slots:
    """Calls of one kind of one channel that are in flight at this gateway.

    Across gateways the limit is kept approximately: what the others have is known as of a second ago, so that calls
    that come to several gateways within one second may exceed it.

    Args:
        channel: Name of the channel.
        share: Share of the limit that this gateway may fill while it does not know of the others.
        refuse: Makes the error of a full channel of its name and its limit.
    """

    def __init__(self, channel: str, share: float, refuse: Refuse) -> None:
        self.taken = 0
        """Calls in flight here."""
        self._channel = channel
        self._share = share
        self._refuse = refuse
        self._limit: int | None = None
        self._free_for_us = math.inf

    def allow(self, limit: int | None, others: int | None) -> None:
        """Says how many there may be.

        Args:
            limit: Calls in flight at all gateways together; None means no limit.
            others: How many the other gateways have; None where it is not known.
        """
        self._limit = limit
        if limit is None:
            self._free_for_us = math.inf
        else:
            self._free_for_us = math.ceil(limit * self._share) if others is None else limit - others

    def enter(self) -> None:
        """Counts a call that begins; `leave` must follow.

        Raises:
            ExhaustedError: The channel is full; nothing is counted then.
        """
        if self._limit is not None and self.taken >= self._free_for_us:
            raise self._refuse(self._channel, self._limit)
        self.taken += 1

    def leave(self) -> None:
        """Counts a call that ended."""
        self.taken -= 1
