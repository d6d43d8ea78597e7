"""Turns drawn documents into scans: pictures of their pages, askew, noisy and blurred."""

import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import cv2
import numpy as np
import pypdfium2 as pdfium
from numpy.typing import NDArray
from PIL import Image

from services.doc_extract.page import Box
from services.doc_extract.text import Region
from training.doc_extract.drawing.pdf import Drawn

_POINTS = 72.0
Picture = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Scanner:
    """How a document is scanned.

    Attributes:
        dpi: Pixels to the inch.
        skew: Degrees, clockwise, that the paper lies askew.
        turn: Degrees, clockwise, by which the picture is turned in the file: 0, 90, 180 or 270.
        noise: Standard deviation of the brightness of neighbouring pixels, 0 to 255.
        blur: Standard deviation of the blur, in pixels.
        quality: Of the JPEG, 1 to 95.
        grey: Whether colours are lost.
        seed: Of the noise.
    """

    dpi: int = 200
    skew: float = 0.0
    turn: Literal[0, 90, 180, 270] = 0
    noise: float = 4.0
    blur: float = 0.5
    quality: int = 75
    grey: bool = False
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Scan:
    """Pictures of pages.

    Attributes:
        pictures: One for each page, as the file shows it.
        places: Of each mark's key a box around each of its lines. They are on the page as it is read upright: with the
            turn taken back, the skew left as it is; `as_shown` turns them to the page as the file shows it.
        scanner: What made them.
    """

    pictures: Sequence[Picture]
    places: Mapping[int, tuple[Region, ...]]
    scanner: Scanner

    def pdf(self) -> bytes:
        """The pictures as the pages of a PDF without text."""
        return self._saved("PDF", self.pictures)

    def image(self, form: Literal["JPEG", "PNG"], page: int = 1) -> bytes:
        """One picture as a file that says its dots per inch."""
        return self._saved(form, [self.pictures[page - 1]])

    def _saved(self, form: str, pictures: Sequence[Picture]) -> bytes:
        first, *others = [Image.fromarray(picture) for picture in pictures]
        file, dpi = io.BytesIO(), self.scanner.dpi
        if form == "PDF":
            first.save(file, form, resolution=dpi, save_all=True, append_images=others, quality=self.scanner.quality)
        else:
            first.save(file, form, dpi=(dpi, dpi), quality=self.scanner.quality)
        return file.getvalue()


def scan(drawn: Drawn, scanner: Scanner) -> Scan:
    """Scans every page of a drawn document."""
    random = np.random.default_rng(scanner.seed)
    document = pdfium.PdfDocument(drawn.pdf)
    pictures, sizes = [], []
    for page in document:
        sizes.append(page.get_size())
        rendered = page.render(scale=scanner.dpi / _POINTS, rev_byteorder=True, prefer_bgrx=False)
        pictures.append(_scanned(rendered.to_numpy()[:, :, :3], scanner, random))
    document.close()
    places = {
        key: tuple(
            Region(region.page, tuple(skewed(box, scanner.skew, *sizes[region.page - 1]) for box in region.boxes))
            for region in regions
        )
        for key, regions in drawn.places.items()
    }
    return Scan(pictures, places, scanner)


def skewed(box: Box, degrees: float, width: float, height: float) -> Box:
    """The box around a box on a page that was turned a little, clockwise, about its middle.

    Args:
        box: In points.
        degrees: Of the turn.
        width: Of the page.
        height: Of the page.
    """
    corners = np.array([(x, y) for x in (box.left, box.right) for y in (box.top, box.bottom)])
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))
    middle = np.array([width / 2, height / 2])
    moved = (corners - middle) @ np.array([[cosine, sine], [-sine, cosine]]) + middle
    left, top = moved.min(axis=0)
    right, bottom = moved.max(axis=0)
    return Box(float(left), float(top), float(right), float(bottom))


def as_shown(box: Box, turn: int, width: float, height: float) -> Box:
    """A box of the upright page on the page as the file shows it.

    Args:
        box: In points.
        turn: Degrees, clockwise, by which the file shows the page turned.
        width: Of the upright page.
        height: Of the upright page.
    """
    return {
        0: box,
        90: Box(height - box.bottom, box.left, height - box.top, box.right),
        180: Box(width - box.right, height - box.bottom, width - box.left, height - box.top),
        270: Box(box.top, width - box.right, box.bottom, width - box.left),
    }[turn]


def _scanned(page: Picture, scanner: Scanner, random: np.random.Generator) -> Picture:
    height, width = page.shape[:2]
    # OpenCV counts angles anticlockwise and places from the middles of pixels.
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -scanner.skew, 1.0)
    picture = cv2.warpAffine(page, matrix, (width, height), flags=cv2.INTER_CUBIC, borderValue=(236, 235, 232))
    if scanner.grey:
        picture = cv2.cvtColor(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    if scanner.blur:
        picture = cv2.GaussianBlur(picture, (0, 0), scanner.blur)
    # The lamp is a little brighter on one side; paper is not quite white.
    light = np.linspace(0.95, 0.985, width)[None, :, None]
    grain = random.normal(0.0, scanner.noise, (height, width, 1)) if scanner.noise else 0.0
    noisy = np.clip(picture * light + grain, 0, 255).astype(np.uint8)
    return np.ascontiguousarray(np.rot90(noisy, -scanner.turn // 90))
