"""A change network over pictures of any size: tiles that overlap, averaged where they do."""

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from training.progress.rgb.fitting import pictures
from training.progress.rgb.network import RgbChangeNetwork

TILE = 512
"""Side of a tile, pixels."""

OVERLAP = 64
"""Pixels that neighbouring tiles share at least."""


def starts(length: int, tile: int = TILE, overlap: int = OVERLAP) -> list[int]:
    """Where tiles begin along an axis of `length` pixels: as few as cover it, evenly spread."""
    if length <= tile:
        return [0]
    count = -(-(length - overlap) // (tile - overlap))
    return [round(index * (length - tile) / (count - 1)) for index in range(count)]


def windows(rows: int, columns: int) -> Iterator[tuple[slice, slice]]:
    """Tiles (rows, columns) that cover a picture."""
    for top in starts(rows):
        for left in starts(columns):
            yield slice(top, top + TILE), slice(left, left + TILE)


def likelihood(network: RgbChangeNetwork, before: NDArray[np.uint8], after: NDArray[np.uint8]) -> NDArray[np.float32]:
    """How likely each pixel changed.

    Args:
        network: Of one class, in evaluation mode.
        before: [rows, columns, 3] RGB.
        after: [rows, columns, 3] RGB.

    Returns:
        [rows, columns] in 0..1.
    """
    total = np.zeros(before.shape[:2], np.float32)
    times = np.zeros_like(total)
    for window in windows(*before.shape[:2]):
        with torch.inference_mode():
            logits = network(pictures([before[window]]), pictures([after[window]]))
        total[window] += torch.sigmoid(logits)[0, 0].cpu().numpy()
        times[window] += 1
    return total / times
