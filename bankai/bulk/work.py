"""What bulk work is, whatever engine does it."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Outcome = dict[str, Any]
"""What became of an item, as JSON has it: `item`, `outcome`, where it failed `reason` and `message`, and more."""
DONE, BEFORE, FAILED = "done", "done before", "failed"
"""Values of `outcome`: done now, found done, not done."""
Do = Callable[[str], Awaitable[Outcome]]
"""Works on an item. What is wrong with it is told in the outcome; an item may be worked on again at any time."""


class Work(Protocol):
    """Bulk work. It is sent to the processes that do it, so it must be picklable."""

    def opened(self) -> AbstractAsyncContextManager[Do]:
        """Opens what the work needs, such as models and stores, once in each process."""
