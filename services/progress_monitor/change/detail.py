"""The sub-metre change model behind the inference backend: two colour pictures in, what each pixel has become out.

Numbers of four bytes are made of one window of the pictures after the other, whatever their size. Each window is asked
in tiles that overlap and are blended, and read with a margin whose answers are thrown away, so that windows join.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from bankai.inference.backend import InferenceBackend
from services.progress_monitor.alignment.radiometry import Line, brightened
from services.progress_monitor.change.asking import blended_answer

MODEL = "progress_change_rgb"
"""Name of the sub-metre model in the repository."""


class DetailChange(IntEnum):
    """What a pixel of a sub-metre picture has become: the classes of the model, in their order."""

    AS_BEFORE = 0
    GROUND = 1
    BUILT = 2


_SIDE = 512
_OVERLAP = 64
_CORE = 832
"""Side of a window without its margin: with it, two tiles by two."""
_MARGIN = 64


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a picture.

    Attributes:
        read: Rows and columns that are read.
        kept: Rows and columns, of the picture, whose answers are kept.
        inner: The same within what is read.
    """

    read: tuple[slice, slice]
    kept: tuple[slice, slice]
    inner: tuple[slice, slice]


class DetailModel:
    """Asks the sub-metre model.

    Args:
        backend: Runs the model.
    """

    def __init__(self, backend: InferenceBackend) -> None:
        self._backend = backend

    async def changes(
        self,
        before: NDArray[np.uint8],
        after: NDArray[np.uint8],
        lines: list[Line],
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> tuple[NDArray[np.uint8], str]:
        """What each pixel has become.

        Args:
            before: RGB [3, rows, columns] of the reference; zero where there is none.
            after: The same of the date, on the same pixels.
            lines: What takes each band of `after`, as reflectance in 0..1, to the brightness of `before`.
            timeout: Seconds until the answer is of no use any more.

        Returns:
            (Probability of each `DetailChange` in percent [3, rows, columns], version of the model).

        Raises:
            BankaiError: As the backend.
        """
        percent = np.zeros((len(DetailChange), *before.shape[1:]), np.uint8)
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        version = ""
        for window in _windows((before.shape[1], before.shape[2])):
            pair = await asyncio.to_thread(_pair, before, after, window, lines)
            likely, version = await blended_answer(
                self._backend,
                MODEL,
                pair,
                ("change", len(DetailChange)),
                side=_SIDE,
                overlap=_OVERLAP,
                timeout=end - loop.time(),
            )
            percent[:, *window.kept] = np.round(likely[:, *window.inner] * 100)
        return percent, version


def _pair(
    before: NDArray[np.uint8], after: NDArray[np.uint8], window: Window, lines: list[Line]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Both dates in a window, [3, rows, columns] in 0..1; black on both where one of them is missing."""
    one, other = (np.asarray(each[:, *window.read], np.float32) / np.float32(255) for each in (before, after))
    common = (one > 0).all(0) & (other > 0).all(0)
    return one * common, np.minimum(brightened(other, lines), 1) * common


def _windows(shape: tuple[int, int]) -> Iterator[Window]:
    for top in range(0, shape[0], _CORE):
        for left in range(0, shape[1], _CORE):
            read, kept, inner = zip(_stretch(top, shape[0]), _stretch(left, shape[1]), strict=True)
            yield Window(read, kept, inner)


def _stretch(start: int, length: int) -> tuple[slice, slice, slice]:
    """What is read, what is kept, and what is kept within what is read, along an axis."""
    end = min(start + _CORE, length)
    first = max(0, start - _MARGIN)
    return slice(first, min(length, end + _MARGIN)), slice(start, end), slice(start - first, end - first)
