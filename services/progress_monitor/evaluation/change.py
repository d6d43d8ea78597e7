"""Judges change detection on pairs of pictures with a mask of what has changed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bankai.evaluation.inputs import BadInputError
from services.progress_monitor.alignment.matching import matched
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.surfaces import CHANGED, Surface
from services.progress_monitor.evaluation.counts import PixelCounts
from services.progress_monitor.evaluation.pictures import read_date
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.quality import judge

THRESHOLD = 0.4
"""Probability of change from which a pixel is said to have changed."""
MASKS = ("mask.png", "change_mask.png")
"""Names of the mask: the documented one, and OSCD's."""

_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class PairFiles:
    """One pair.

    Attributes:
        name: Of its folder.
        before: Files of the first date.
        after: Files of the second.
        mask: Its mask: white where something has changed.
    """

    name: str
    before: Sequence[Path]
    after: Sequence[Path]
    mask: Path


@dataclass(frozen=True, slots=True)
class Judged:
    """How one pair went.

    Attributes:
        name: Of its folder.
        counts: Its pixels.
        shift_px: Shift that was found between the dates.
        pixels: Pixels judged.
        seconds: Time from the files to the answer.
    """

    name: str
    counts: PixelCounts
    shift_px: float
    pixels: int
    seconds: float


def pairs_of(folder: Path) -> list[PairFiles]:
    """The pairs in a folder's sub-folders.

    Raises:
        BadInputError: There is none, or one is not complete.
    """
    found = []
    for sub in sorted(path for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else ():
        masks = [sub / name for name in MASKS if (sub / name).exists()]
        before, after = sorted(sub.glob("t1*")), sorted(sub.glob("t2*"))
        if not masks and not before and not after:
            continue
        if not masks or not before or not after:
            raise BadInputError(sub, None, "must hold t1*, t2* and mask.png")
        found.append(PairFiles(sub.name, before, after, masks[0]))
    if not found:
        raise BadInputError(folder, None, "must hold folders with t1*, t2* and mask.png")
    return found


async def changed(before: Chip, after: Chip, model: ChangeModel) -> tuple[NDArray[np.float32], float]:
    """Probability of change of each pixel, and the shift between the dates in pixels.

    Args:
        before: The first date.
        after: The second, of the same shape.
        model: The change model.
    """
    registration, same = matched(after.reflectance, before.reflectance)
    surfaces, _ = await model.surfaces(before.reflectance, same, timeout=_TIMEOUT_S)
    # What the model calls hidden and the rules do not is no cloud: mostly a new roof, as bright as one.
    clear = judge(same, after.bands, before.reflectance).usable
    return np.where(clear, 1 - surfaces[Surface.AS_BEFORE], surfaces[list(CHANGED)].sum(0)), registration.shift


async def judge_pair(files: PairFiles, model: ChangeModel) -> Judged:
    """Judges one pair.

    Raises:
        BadInputError: One of its files cannot be read.
    """
    begun = time.perf_counter()
    before, after, truth = read_labelled(files)
    probability, shift = await changed(before, after, model)
    seconds = time.perf_counter() - begun
    found = probability > THRESHOLD
    return Judged(
        files.name,
        counts=PixelCounts.of(found, truth),
        shift_px=shift,
        pixels=truth.size,
        seconds=seconds,
    )


def metrics(judged: Sequence[Judged]) -> dict[str, float | int]:
    """The metrics over all pairs, their pixels taken together."""
    counts = sum((each.counts for each in judged), PixelCounts())
    return {
        "n": len(judged),
        "precision": counts.precision,
        "recall": counts.recall,
        "f1": counts.f1,
        "iou": counts.iou,
        "mean_shift_px": float(np.mean([each.shift_px for each in judged])),
        "mpx_per_s": sum(each.pixels for each in judged) / 1e6 / sum(each.seconds for each in judged),
    }


def read_labelled(files: PairFiles) -> tuple[Chip, Chip, NDArray[np.bool_]]:
    """Both dates of a pair and what has changed, of one size.

    Raises:
        BadInputError: One of its files cannot be read.
    """
    before, after = read_date(files.before), read_date(files.after)
    shape = (before.reflectance.shape[1], before.reflectance.shape[2])
    truth = _mask(files.mask, shape)
    rows, columns = (min(lengths) for lengths in zip(shape, after.reflectance.shape[1:], strict=True))
    if abs(shape[0] - after.reflectance.shape[1]) > max(16, rows // 10):
        return before, read_date(files.after, shape=shape), truth
    # Pictures of one place may differ by a few rows and columns; their first pixel is the same.
    return _cropped(before, rows, columns), _cropped(after, rows, columns), truth[:rows, :columns]


def _cropped(chip: Chip, rows: int, columns: int) -> Chip:
    return Chip(chip.reflectance[:, :rows, :columns], chip.bands, chip.covered)


def _mask(file: Path, shape: tuple[int, int]) -> NDArray[np.bool_]:
    mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise BadInputError(file, None, "is no readable picture")
    if mask.shape != shape:
        mask = cv2.resize(mask, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(mask > 127 if mask.max() > 1 else mask > 0)
