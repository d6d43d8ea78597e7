"""Reads the picture of a page."""

import asyncio
import time
from collections.abc import Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

from bankai.inference.backend import InferenceBackend
from services.doc_extract.page import CharBoxes, Line, Page, Paragraph, Source
from services.doc_extract.reading.ocr import detection, recognition
from services.doc_extract.reading.ocr.ctc import Reading
from services.doc_extract.reading.ocr.picture import Picture
from services.doc_extract.reading.ocr.recognition import Recogniser

MODELS = (detection.MODEL, recognition.MODEL)
"""Names of the models that reading needs."""

_POINTS = 72.0


class PageReader:
    """Reads pictures of pages. Belongs to one event loop.

    Args:
        backend: Runs the models.
        labels: The character of each of the recogniser's classes.
    """

    def __init__(self, backend: InferenceBackend, labels: Sequence[str]) -> None:
        self._backend = backend
        self._recogniser = Recogniser(backend, labels)

    async def read(self, image: NDArray[np.uint8], *, dpi: float, number: int, timeout: float) -> Page:  # noqa: ASYNC109  # sent along
        """Reads one page.

        Args:
            image: (height, width, 3): red, green, blue.
            dpi: Its pixels to the inch.
            number: Of the page, from 1.
            timeout: Seconds until the answer is of no use any more.

        Raises:
            BankaiError: As `InferenceBackend.infer` raises it.
        """
        deadline = time.monotonic() + timeout
        height, width = image.shape[:2]
        scores = await self._detect(image, deadline)
        quads = await asyncio.to_thread(detection.quads, scores, width, height)
        quads, readings = await self._recogniser.read(image, quads, deadline)
        place = partial(_places, scale=_POINTS / dpi)
        blocks = [
            Paragraph([Line(reading.text, place(quad, reading), reading.confidence)])
            for quad, reading in zip(quads, readings, strict=True)
            if reading.text
        ]
        return Page(number, width * _POINTS / dpi, height * _POINTS / dpi, blocks, Source.OCR)

    async def _detect(self, picture: Picture, deadline: float) -> NDArray[np.uint8]:
        prepared = await asyncio.to_thread(detection.prepare, picture)
        inputs = {detection.INPUT: prepared[None]}
        result = await self._backend.infer(detection.MODEL, inputs, timeout=deadline - time.monotonic())
        scores: NDArray[np.uint8] = result.outputs[detection.OUTPUT][0]
        return scores


def _places(quad: NDArray[np.float32], reading: Reading, *, scale: float) -> CharBoxes:
    """A box for each character of a line, in points."""
    upper_left, upper_right, lower_right, lower_left = quad
    edges = reading.edges[:, :, None]
    corners = np.concatenate(
        [upper_left + (upper_right - upper_left) * edges, lower_left + (lower_right - lower_left) * edges], axis=1
    )
    boxes: CharBoxes = np.concatenate([corners.min(axis=1), corners.max(axis=1)], axis=1) * np.float32(scale)
    return boxes
