"""Drawn sub-metre pictures, [3, rows, columns] RGB of 0.5 m."""

import cv2
import numpy as np
from numpy.typing import NDArray

Rgb = NDArray[np.uint8]

HALL_M2 = 60 * 40
"""Area of the hall that `with_hall` builds."""


def ground(shape: tuple[int, int], seed: int = 0) -> Rgb:
    """Fields, with lanes between them and trees on them."""
    rng = np.random.default_rng(seed)
    rows, columns = shape
    lumps = cv2.resize(
        rng.normal(size=(rows // 90 + 2, columns // 90 + 2)), (columns, rows), interpolation=cv2.INTER_CUBIC
    )
    fields = np.digitize(lumps, np.linspace(-1.5, 1.5, 8))
    colours = np.array((92, 106, 62)) + rng.normal(0, 14, (9, 3))
    picture = colours[fields] + cv2.GaussianBlur(rng.normal(0, 1, (rows, columns, 1)), (0, 0), 1.2)[..., None] * 22
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    for _ in range(rows * columns // 12_000):
        place = int(rng.integers(columns)), int(rng.integers(rows))
        cv2.circle(picture, place, int(rng.integers(4, 10)), (38, 56, 30), -1, cv2.LINE_AA)
    for offset in rng.integers(0, columns, 3):
        cv2.line(picture, (int(offset), 0), (int(offset) + 80, rows), (168, 156, 130), 8, cv2.LINE_AA)
    return np.ascontiguousarray(np.maximum(picture, 1).transpose(2, 0, 1))


def with_hall(before: Rgb, seed: int = 3) -> tuple[Rgb, NDArray[np.bool_]]:
    """The same ground with a hall of 60 m by 40 m in its middle, and where that stands."""
    picture = np.ascontiguousarray(before.transpose(1, 2, 0))
    rows, columns = picture.shape[:2]
    top, left = rows // 2 - 40, columns // 2 - 60
    cv2.rectangle(picture, (left + 8, top + 10), (left + 119 + 8, top + 79 + 10), (28, 32, 36), -1)
    cv2.rectangle(picture, (left, top), (left + 119, top + 79), (196, 198, 200), -1)
    cv2.rectangle(picture, (left, top), (left + 119, top + 39), (222, 222, 222), -1)
    for column in range(left + 12, left + 110, 20):
        cv2.rectangle(picture, (column, top + 8), (column + 5, top + 70), (150, 158, 170), -1)
    hall = np.zeros((rows, columns), bool)
    hall[top : top + 80, left : left + 120] = True
    noise = np.random.default_rng(seed).normal(0, 3, picture.shape)
    return np.clip(picture + noise, 1, 255).astype(np.uint8).transpose(2, 0, 1), hall
