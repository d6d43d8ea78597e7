"""Photos to what they say, each in a process of its own that can be killed."""

import json
from pathlib import Path

from bankai.sandbox import Costs, Refusals, Sandbox
from services.progress_monitor.photos.decoding import too_large, unreadable
from services.progress_monitor.photos.limits import PhotoLimits
from services.progress_monitor.photos.photo import Exif


class PhotoReader:
    """Reads photos. Belongs to the event loop that uses it.

    Args:
        limits: How much one photo may ask for.
        workers: Photos that are decoded at the same time.
    """

    def __init__(self, limits: PhotoLimits, workers: int = 2) -> None:
        costs = Costs(limits.memory_bytes, limits.cpu_s, limits.wall_s)
        refusals = Refusals(lambda: too_large(limits), unreadable)
        self._sandbox = Sandbox("services.progress_monitor.photos.worker", limits, costs, refusals, workers)

    async def close(self) -> None:
        """Ends the worker that waits."""
        await self._sandbox.close()

    async def read(self, path: Path, *, timeout: float) -> Exif:  # noqa: ASYNC109  # part of a deadline
        """What a photo says of itself.

        Raises:
            InvalidRequestError: PHOTO_UNREADABLE or PHOTO_TOO_LARGE.
            ExhaustedError: READER_BUSY.
            DeadlineError: DEADLINE_EXCEEDED.
        """
        fields = json.loads((await self._sandbox.ask(str(path).encode(), timeout=timeout))[1:])
        place = fields["place"]
        return Exif(fields["taken"], None if place is None else (place[0], place[1]), fields["fingerprint"])
