"""Judges the shipped sub-metre model on three research sets that it was not fitted to, through the service's own code.

    python -m training.progress.rgb.judge --data DIR [--part develop|test]

Pictures are brought to the pixels and the brightness to which the service brings them. FOTBCD and EGY-BCD label
buildings that came and that went: both directions are asked. SZTAKI labels earthworks, planting and ploughing as well:
any change is judged, too. The last line of the output is a JSON object.
"""

import argparse
import asyncio
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bankai.inference import open_backend
from bankai.settings import InferenceSettings
from services.progress_monitor.alignment.radiometry import brightness_lines
from services.progress_monitor.change.detail import DetailChange, DetailModel
from services.progress_monitor.detailing import BUILT_PERCENT
from services.progress_monitor.evaluation.counts import PixelCounts
from services.progress_monitor.grid import DETAIL_GSD_M
from training.paths import PUBLIC_DATA_DIR
from training.progress.rgb.real_pairs import SETS, Pair

GSD_M = {"sztaki_airchange": 1.5, "fotbcd": 0.2, "egy_bcd": 0.25}
"""Metres per pixel of each set."""
DEVELOPED_ON = ("Szada/", "train_", "13825", "17870", "4572", "8024", "976")
"""How the names of pairs begin that the drawing of pairs was developed on; the others were left for the end."""
_TIMEOUT_S = 600.0


def chosen(pairs: Iterator[Pair], part: str) -> Iterator[Pair]:
    """The pairs of a part."""
    return (pair for pair in pairs if pair.name.startswith(DEVELOPED_ON) == (part == "develop"))


async def percent(model: DetailModel, pair: Pair, gsd: float) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Percent of each `DetailChange` [3, rows, columns], forwards and backwards in time, on the pair's own pixels."""
    # Coarser pictures than the service would look at on its finer grid are judged as they are.
    size = tuple(round(length * min(1.0, gsd / DETAIL_GSD_M)) for length in pair.mask.shape[::-1])
    dates = [
        np.ascontiguousarray(cv2.resize(each, size, interpolation=cv2.INTER_AREA).transpose(2, 0, 1), np.uint8)
        for each in (np.maximum(pair.before, 1), np.maximum(pair.after, 1))
    ]
    found = []
    for before, after in (dates, dates[::-1]):
        one, other = (np.asarray(each, np.float32) / np.float32(255) for each in (before, after))
        lines = brightness_lines(other, one, np.ones(one.shape[1:], bool))
        answer, _ = await model.changes(before, after, lines, timeout=_TIMEOUT_S)
        large = [cv2.resize(layer, pair.mask.shape[::-1], interpolation=cv2.INTER_LINEAR) for layer in answer]
        found.append(np.asarray(np.stack(large), np.uint8))
    return found[0], found[1]


async def measure(data: Path, part: str) -> dict[str, dict[str, PixelCounts]]:
    """Counts by set and by what is judged."""
    counts: dict[str, dict[str, PixelCounts]] = defaultdict(lambda: defaultdict(PixelCounts))
    backend = open_backend(InferenceSettings())
    try:
        for name, read in SETS.items():
            for pair in chosen(read(data), part):
                forwards, backwards = await percent(DetailModel(backend), pair, GSD_M[name])
                built = np.maximum(forwards[DetailChange.BUILT], backwards[DetailChange.BUILT]) >= BUILT_PERCENT
                changed = (
                    np.minimum(forwards[DetailChange.AS_BEFORE], backwards[DetailChange.AS_BEFORE]) < BUILT_PERCENT
                )
                for judged, where in (("built", built), ("any change", changed)):
                    counts[name][judged] += PixelCounts.of(where, pair.mask > 0)
    finally:
        await backend.close()
    return counts


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=PUBLIC_DATA_DIR, help="folder of the three sets' folders")
    parser.add_argument("--part", choices=("develop", "test"), default="test", help="(default: %(default)s)")
    options = parser.parse_args()
    counts = asyncio.run(measure(options.data, options.part))
    scores = {
        name: {
            judged: {each: round(float(getattr(seen, each)), 3) for each in ("precision", "recall", "f1")}
            for judged, seen in of.items()
        }
        for name, of in counts.items()
    }
    print(f"{'set':<18}{'judged':<12}{'precision':>10}{'recall':>8}{'F1':>7}")
    for name, of in scores.items():
        for judged, score in of.items():
            print(f"{name:<18}{judged:<12}{score['precision']:>10.3f}{score['recall']:>8.3f}{score['f1']:>7.3f}")
    print(json.dumps(scores))


if __name__ == "__main__":
    main()
