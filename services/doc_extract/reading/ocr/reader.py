"""Reads the picture of a page."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bankai.inference.backend import InferenceBackend
from services.doc_extract.page import Block, Line, Page, Source
from services.doc_extract.reading.ocr import detection, layout, orientation, recognition
from services.doc_extract.reading.ocr.ctc import Reading
from services.doc_extract.reading.ocr.detection import Quads
from services.doc_extract.reading.ocr.levelling import mapped
from services.doc_extract.reading.ocr.picture import Picture
from services.doc_extract.reading.ocr.pieces import Piece
from services.doc_extract.reading.ocr.recognition import Recogniser
from services.doc_extract.reading.ocr.rules import grids
from services.doc_extract.reading.ocr.sheet import Sheet

MODELS = (orientation.MODEL, detection.MODEL, recognition.MODEL)
"""Names of the models that reading needs."""

_POINTS = 72.0
_PAGES = 2
"""Pages that are worked on at once: each holds its picture and a few copies."""
_SAMPLE = 8
"""Lines that tell whether a page lies the right way up."""
_CONVINCING = 0.8
"""Mean confidence of the sample where it does; upside down, lines read at 0.4 to 0.7."""
_DOUBTFUL = 0.5
"""Confidence below which a line is a stain rather than text."""


@dataclass(frozen=True, slots=True)
class _Look:
    """A first look at a page one way up.

    Attributes:
        sheet: The page.
        quads: Its lines on the upright page, the longest first.
        read: The first lines as they were read, and how.
        trust: How likely the page lies the right way up, 0 to 1.
    """

    sheet: Sheet
    quads: Quads
    read: tuple[Quads, list[Reading]]
    trust: float


class PageReader:
    """Reads pictures of pages. Belongs to one event loop.

    Args:
        backend: Runs the models.
        labels: The character of each of the recogniser's classes.
    """

    def __init__(self, backend: InferenceBackend, labels: Sequence[str]) -> None:
        self._backend = backend
        self._recogniser = Recogniser(backend, labels)
        self._room = asyncio.Semaphore(_PAGES)

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
        async with self._room:
            look = await self._upright(image, dpi, deadline)
            quads, readings = look.read
            rest, more = await self._recogniser.read(look.sheet.picture, look.quads[len(quads) :], deadline)
        pieces = [
            Piece.of(quad, reading, look.sheet.level.there)
            for quad, reading in zip([*quads, *rest], [*readings, *more], strict=True)
            if reading.confidence >= _DOUBTFUL
        ]
        scale = _POINTS / dpi
        blocks = await asyncio.to_thread(_blocks, look.sheet, pieces, scale)
        height, width = look.sheet.picture.shape[:2]
        return Page(number, width * scale, height * scale, blocks, Source.OCR, 90 * look.sheet.turn)

    async def _upright(self, image: Picture, dpi: float, deadline: float) -> _Look:
        """The page the right way up: the first way that convinces, or else the one that does most."""
        pieces = await asyncio.to_thread(orientation.prepare, image)
        probabilities = await self._infer(orientation.MODEL, orientation.INPUT, pieces, orientation.OUTPUT, deadline)
        looks = []
        for turn in orientation.turns(probabilities):
            look = await self._look(image, turn, dpi, deadline)
            if look.trust >= _CONVINCING:
                return look
            looks.append(look)
        return max(looks, key=lambda look: look.trust)

    async def _look(self, image: Picture, turn: int, dpi: float, deadline: float) -> _Look:
        sheet = await asyncio.to_thread(Sheet.of, image, turn, dpi)
        level = sheet.level.picture
        prepared = await asyncio.to_thread(detection.prepare, level)
        scores = await self._infer(detection.MODEL, detection.INPUT, prepared[None], detection.OUTPUT, deadline)
        quads = await asyncio.to_thread(detection.quads, scores[0], level.shape[1], level.shape[0])
        if not len(quads):
            return _Look(sheet, quads, (quads, []), trust=1.0)
        sides = np.abs(quads[:, 2] - quads[:, 0])
        quads = quads[np.argsort(-sides.max(axis=1), kind="stable")]
        quads = mapped(quads, sheet.level.back)
        read = await self._recogniser.read(sheet.picture, quads[:_SAMPLE], deadline)
        across = float((sides[:, 0] >= sides[:, 1]).mean())
        sure = float(np.mean([reading.confidence for reading in read[1]]))
        return _Look(sheet, quads, read, trust=sure if across >= 0.5 else sure * across)

    async def _infer(
        self, model: str, name: str, tensor: NDArray[np.uint8], output: str, deadline: float
    ) -> NDArray[Any]:
        result = await self._backend.infer(model, {name: tensor}, timeout=deadline - time.monotonic())
        return result.outputs[output]


def _blocks(sheet: Sheet, pieces: Sequence[Piece], scale: float) -> list[Block]:
    def finish(piece: Piece) -> Line:
        return Line(piece.text, piece.places * np.float32(scale), piece.confidence)

    if not pieces:
        return []
    text_height = float(np.median([piece.height for piece in pieces]))
    return layout.blocks(pieces, grids(sheet.level.picture, text_height), finish)
