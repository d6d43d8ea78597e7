"""Judges change detection on pairs of pictures with a mask of what has changed."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bankai.evaluation.inputs import BadInputError
from services.progress_monitor.alignment.radiometry import normalised
from services.progress_monitor.alignment.registration import aligned, register
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.surfaces import CHANGED, Surface
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
        right: Pixels that have changed and were found.
        wrong: Pixels that were found and have not changed.
        missed: Pixels that have changed and were not found.
        shift_px: Shift that was found between the dates.
        pixels: Pixels judged.
        seconds: Time from the files to the answer.
    """

    name: str
    right: int
    wrong: int
    missed: int
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
    both = np.asarray((before.reflectance > 0).any(0) & (after.reflectance > 0).any(0))
    registration = register(after.reflectance[:3].mean(0), before.reflectance[:3].mean(0), both)
    moved = aligned(after.reflectance, registration) if registration.good else after.reflectance
    same = normalised(moved, before.reflectance, both)
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
    before = read_date(files.before)
    after = read_date(files.after)
    rows, columns = (
        min(lengths) for lengths in zip(before.reflectance.shape[1:], after.reflectance.shape[1:], strict=True)
    )
    if abs(before.reflectance.shape[1] - after.reflectance.shape[1]) > max(16, rows // 10):
        after = read_date(files.after, shape=(before.reflectance.shape[1], before.reflectance.shape[2]))
        rows, columns = before.reflectance.shape[1:]
    # Pictures of one place may differ by a few rows and columns; their first pixel is the same.
    probability, shift = await changed(_cropped(before, rows, columns), _cropped(after, rows, columns), model)
    seconds = time.perf_counter() - begun
    truth = read_mask(files.mask, before.reflectance.shape[1:])[:rows, :columns]
    found = probability > THRESHOLD
    return Judged(
        files.name,
        right=int((found & truth).sum()),
        wrong=int((found & ~truth).sum()),
        missed=int((~found & truth).sum()),
        shift_px=shift,
        pixels=truth.size,
        seconds=seconds,
    )


def metrics(judged: Sequence[Judged]) -> dict[str, float | int]:
    """The metrics over all pairs, their pixels taken together."""
    right, wrong, missed = (sum(getattr(each, name) for each in judged) for name in ("right", "wrong", "missed"))
    return {
        "n": len(judged),
        "precision": right / max(1, right + wrong),
        "recall": right / max(1, right + missed),
        "f1": 2 * right / max(1, 2 * right + wrong + missed),
        "iou": right / max(1, right + wrong + missed),
        "mean_shift_px": float(np.mean([each.shift_px for each in judged])),
        "mpx_per_s": sum(each.pixels for each in judged) / 1e6 / sum(each.seconds for each in judged),
    }


def _cropped(chip: Chip, rows: int, columns: int) -> Chip:
    return Chip(chip.reflectance[:, :rows, :columns], chip.bands, chip.covered)


def read_mask(file: Path, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """A mask of what has changed, brought to a shape (rows, columns).

    Raises:
        BadInputError: It is no readable picture.
    """
    mask = cv2.imread(str(file), cv2.IMREAD_GRAYSCALE)
    if mask is None:
        raise BadInputError(file, None, "is no readable picture")
    if mask.shape != shape:
        mask = cv2.resize(mask, (shape[1], shape[0]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(mask > 127 if mask.max() > 1 else mask > 0)
