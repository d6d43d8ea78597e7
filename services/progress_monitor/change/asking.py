"""Asks a change model of two dates tile by tile; the answers overlap and are blended."""

import asyncio

import numpy as np
from numpy.typing import NDArray

from bankai.inference.backend import InferenceBackend
from services.progress_monitor.change.tiles import Mosaic, Tile, tiles

_AT_ONCE = 2


async def blended_answer(  # noqa: PLR0913  # what a model is asked
    backend: InferenceBackend,
    model: str,
    dates: tuple[NDArray[np.float32], NDArray[np.float32]],
    output: tuple[str, int],
    *,
    side: int,
    overlap: int,
    timeout: float,  # noqa: ASYNC109  # part of a deadline
) -> tuple[NDArray[np.float32], str]:
    """What a model says of each pixel of two dates.

    Args:
        backend: Runs the model.
        model: Its name in the repository; its inputs are "before" and "after".
        dates: Before and after, [bands, rows, columns] each.
        output: Name of the model's output, and its number of layers.
        side: Rows and columns of a tile, even.
        overlap: Pixels that neighbouring tiles share.
        timeout: Seconds until the answer is of no use any more.

    Returns:
        ([layers, rows, columns], version of the model)

    Raises:
        BankaiError: As the backend.
    """
    before, after = dates
    name, layers = output
    shape = (before.shape[1], before.shape[2])
    mosaic = Mosaic(layers, shape, overlap)
    slots = asyncio.Semaphore(_AT_ONCE)

    async def ask(tile: Tile) -> str:
        async with slots:
            inputs = {"before": tile.of(before)[None], "after": tile.of(after)[None]}
            answer = await backend.infer(model, inputs, timeout=timeout)
            mosaic.add(tile, answer.outputs[name][0])
            return answer.version

    versions = await asyncio.gather(*(ask(tile) for tile in tiles(shape, side, overlap)))
    return mosaic.blended(), versions[0]
