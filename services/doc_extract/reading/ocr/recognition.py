"""What stands on the lines of a picture, by PaddleOCR's recogniser."""

import asyncio
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bankai.inference.backend import InferenceBackend
from services.doc_extract.reading.ocr import crops
from services.doc_extract.reading.ocr.ctc import NOTHING, Reading, decode
from services.doc_extract.reading.ocr.detection import Quads
from services.doc_extract.reading.ocr.picture import Picture

MODEL = "ocr_rec"
INPUT = "image"
CLASSES = "classes"
PROBABILITIES = "probabilities"

_IN_FLIGHT = 32
"""Lines that are asked for at once: enough to fill batches, few enough to keep memory small."""


class Recogniser:
    """Reads lines. Belongs to one event loop.

    Args:
        backend: Runs the model.
        labels: The character of each of its classes; the first stands for none.
    """

    def __init__(self, backend: InferenceBackend, labels: Sequence[str]) -> None:
        self._backend = backend
        self._labels = labels
        self._room = asyncio.Semaphore(_IN_FLIGHT)

    async def read(self, picture: Picture, quads: Quads, deadline: float) -> tuple[Quads, list[Reading]]:
        """Reads the lines of a picture.

        Args:
            picture: The picture.
            quads: (lines, 4, 2): where they stand.
            deadline: time.monotonic() after which the answer is of no use any more.

        Returns:
            The boxes as they were read, their first corner where the text begins, and what stands in each.
        """
        ways = [(line, way) for line, quad in enumerate(quads) for way in crops.ways(quad)]
        # Requests of one shape next to each other: Triton batches neighbours only.
        ways.sort(key=lambda way: crops.bucket(crops.ratio(way[1])))
        readings = await asyncio.gather(*(self._read(picture, way, deadline) for _, way in ways))
        best: list[Reading] = [NOTHING] * len(quads)
        turned = quads.copy()
        for (line, way), reading in zip(ways, readings, strict=True):
            if reading.confidence > best[line].confidence:
                best[line], turned[line] = reading, way
        return turned, best

    async def _read(self, picture: Picture, quad: NDArray[np.float32], deadline: float) -> Reading:
        async with self._room:
            crop = await asyncio.to_thread(crops.cut, picture, quad)
            result = await self._backend.infer(MODEL, {INPUT: crop[None]}, timeout=deadline - time.monotonic())
        return decode(result.outputs[CLASSES][0], result.outputs[PROBABILITIES][0], self._labels)
