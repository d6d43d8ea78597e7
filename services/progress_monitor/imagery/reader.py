"""Pictures to chips, each in a process of its own that can be killed."""

import json
from dataclasses import replace

from bankai.errors import FaultError
from bankai.sandbox import Costs, Refusals, Sandbox
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.limits import ImageLimits
from services.progress_monitor.imagery.opening import corrupt
from services.progress_monitor.imagery.question import Question
from services.progress_monitor.imagery.wire import unpacked
from services.progress_monitor.imagery.worker import too_costly


class ImageReader:
    """Cuts pictures. Belongs to the event loop that uses it.

    Args:
        limits: How much one picture may ask for.
        workers: Pictures that are decoded at the same time.
    """

    def __init__(self, limits: ImageLimits, workers: int = 2) -> None:
        costs = Costs(limits.memory_bytes, limits.cpu_s, limits.wall_s)
        refusals = Refusals(too_costly, corrupt)
        self._sandbox = Sandbox("services.progress_monitor.imagery.worker", limits, costs, refusals, workers)

    async def start(self) -> None:
        """Starts the first worker, so that the first picture does not wait for it."""
        await self._sandbox.start()

    async def close(self) -> None:
        """Ends the worker that waits."""
        await self._sandbox.close()

    async def cut(self, question: Question, *, timeout: float) -> Chip:  # noqa: ASYNC109  # part of a deadline
        """The site in a picture.

        Raises:
            InvalidRequestError: What opening and cutting raise, IMAGE_TOO_COSTLY, IMAGE_CORRUPT.
            ExhaustedError: READER_BUSY.
            DeadlineError: DEADLINE_EXCEEDED.
        """
        answer = await self._sandbox.ask(question.packed(), timeout=timeout)
        try:
            return unpacked(answer[1:], question.grid)
        except (ValueError, KeyError) as error:
            raise FaultError("READER_FAILED", "the picture came back damaged") from error

    async def extents(self, question: Question, *, timeout: float) -> list[list[tuple[int, int]] | None]:  # noqa: ASYNC109  # part of a deadline
        """Which bytes of each of a picture's files are needed to cut it, by their beginnings; None: all of them.

        Raises:
            InvalidRequestError: As `cut`.
            ExhaustedError: READER_BUSY.
            DeadlineError: DEADLINE_EXCEEDED.
        """
        answer = await self._sandbox.ask(replace(question, extents=True).packed(), timeout=timeout)
        return [None if ranges is None else [(a, b) for a, b in ranges] for ranges in json.loads(answer[1:])]
