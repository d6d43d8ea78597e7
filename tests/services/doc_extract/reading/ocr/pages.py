"""Pictures of pages, drawn on the spot with the font that comes with Pillow."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]

DPI = 150.0
LINES = ("LOAN AGREEMENT", "Borrower: Harbor Foods Inc.", "Amount: USD 1,000,000.00", "Rate: 5.25% per annum")


def page(lines: tuple[str, ...] = LINES, size: tuple[int, int] = (1000, 800)) -> Picture:
    """Black lines on white paper."""
    image = Image.new("RGB", size, "white")
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        pen.text((90, 110 + 80 * number), line, fill="black", font=ImageFont.load_default(32))
    return np.array(image)


def two_columns(left: Sequence[str], right: Sequence[str]) -> Picture:
    """Lines of small print side by side."""
    image = Image.new("RGB", (1240, 900), "white")
    pen = ImageDraw.Draw(image)
    for column, lines in ((90, left), (660, right)):
        for number, line in enumerate(lines):
            pen.text((column, 110 + 40 * number), line, fill="black", font=ImageFont.load_default(24))
    return np.array(image)


def photographed(picture: Picture) -> tuple[Picture, NDArray[np.float64]]:
    """The page on a dark table, seen from the side; and what takes points of the page to the photo, (3, 3)."""
    height, width = picture.shape[:2]
    edges = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    corners = np.array([[180, 120], [960, 190], [1120, 850], [60, 800]], np.float32)
    way = cv2.getPerspectiveTransform(edges, corners)
    photo = cv2.warpPerspective(picture, way, (1200, 960), flags=cv2.INTER_AREA, borderValue=(70, 60, 50))
    return np.asarray(photo, np.uint8), np.asarray(way, np.float64)


def skewed(picture: Picture, degrees: float) -> Picture:
    """The page turned clockwise by some degrees."""
    return np.asarray(Image.fromarray(picture).rotate(-degrees, Image.Resampling.BICUBIC, fillcolor="white"))


def sealed(
    picture: Picture, colour: tuple[int, int, int] = (215, 40, 45), centre: tuple[int, int] = (400, 290)
) -> Picture:
    """The page with a ring and a bar of seal ink over its text; print stays the darker of the two."""
    seal = Image.new("RGB", picture.shape[1::-1], "white")
    pen = ImageDraw.Draw(seal)
    x, y = centre
    pen.ellipse((x - 110, y - 110, x + 110, y + 110), outline=colour, width=14)
    pen.rectangle((x - 60, y - 20, x + 60, y + 20), fill=colour)
    return np.asarray(np.minimum(picture, np.asarray(seal)), np.uint8)


def ruled(rows: int, columns: int) -> Picture:
    """An empty table with ruled lines."""
    image = Image.new("RGB", (900, 600), "white")
    pen = ImageDraw.Draw(image)
    for row in range(rows + 1):
        pen.line((100, 100 + 80 * row, 100 + 200 * columns, 100 + 80 * row), fill="black", width=3)
    for column in range(columns + 1):
        pen.line((100 + 200 * column, 100, 100 + 200 * column, 100 + 80 * rows), fill="black", width=3)
    return np.array(image)
