"""A page with its lines level: paper that was photographed from the side made a rectangle, and turned back."""

from dataclasses import dataclass
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from services.doc_extract.reading.ocr.outline import outline
from services.doc_extract.reading.ocr.picture import Picture
from services.doc_extract.reading.ocr.skew import slope

Homography = NDArray[np.float64]
"""(3, 3): takes points of one plane to those of another."""

_LEAST = 0.2
"""Degrees below which turning a page gains nothing."""
_WHITE = (255, 255, 255)


@dataclass(frozen=True, slots=True)
class Level:
    """A page with its lines level.

    Attributes:
        picture: The page; the one that it was made from where its lines are level.
        there: Takes a point of the page to the picture.
        back: Takes a point of the picture to the page.
    """

    picture: Picture
    there: Homography
    back: Homography

    @classmethod
    def of(cls, page: Picture) -> Self:
        """Straightens and turns a page, on a sheet that is large enough for all of it."""
        straight, first = _straightened(page)
        level, second = _turned(straight)
        there = second @ first
        return cls(level, there, np.asarray(np.linalg.inv(there), np.float64))


def mapped(points: NDArray[np.float32], way: Homography) -> NDArray[np.float32]:
    """Points, (..., 2), under a homography."""
    if not points.size:
        return points
    return np.asarray(cv2.perspectiveTransform(points.reshape(-1, 1, 2), way), np.float32).reshape(points.shape)


def _straightened(page: Picture) -> tuple[Picture, Homography]:
    corners = outline(page)
    if corners is None:
        return page, np.eye(3)
    upper_left, upper_right, lower_right, lower_left = corners
    width = round(max(np.linalg.norm(upper_right - upper_left), np.linalg.norm(lower_right - lower_left)))
    height = round(max(np.linalg.norm(lower_left - upper_left), np.linalg.norm(lower_right - upper_right)))
    sheet = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    way = np.asarray(cv2.getPerspectiveTransform(corners, sheet), np.float64)
    picture = cv2.warpPerspective(page, way, (width, height), flags=cv2.INTER_LINEAR, borderValue=_WHITE)
    return np.asarray(picture, np.uint8), way


def _turned(page: Picture) -> tuple[Picture, Homography]:
    degrees = slope(page)
    if abs(degrees) < _LEAST:
        return page, np.eye(3)
    height, width = page.shape[:2]
    way = np.eye(3)
    way[:2] = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 1.0)
    cosine, sine = abs(way[0, 0]), abs(way[0, 1])
    size = round(width * cosine + height * sine), round(width * sine + height * cosine)
    way[:2, 2] += [(size[0] - width) / 2, (size[1] - height) / 2]
    level = cv2.warpAffine(page, way[:2], size, flags=cv2.INTER_LINEAR, borderValue=_WHITE)
    return np.asarray(level, np.uint8), way
