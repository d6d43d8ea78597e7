"""Measures the change network on left-out scenes of three research sets, beside two methods that need no training.

    python -m training.progress.rgb.research --data DIR [--steps N] [--folds K]

Each set's scenes are dealt into K folds. A network per fold is fitted to the other folds' pairs of all sets and judged
on the fold's; counts are pooled over a set's pixels. The last line of the output is a JSON object.
"""

import argparse
import json
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rich.console import Console

from services.progress_monitor.evaluation.counts import PixelCounts
from training.paths import PUBLIC_DATA_DIR
from training.progress.rgb.augment import Augmentation
from training.progress.rgb.baselines import cva_otsu, pca_kmeans
from training.progress.rgb.fitting import Schedule, fit
from training.progress.rgb.real_pairs import SETS, Pair
from training.progress.rgb.tiles import likelihood

THRESHOLD = 0.5
"""From which likelihood on a pixel counts as changed."""

Method = Callable[[NDArray[np.uint8], NDArray[np.uint8]], NDArray[np.bool_]]

BASELINES: dict[str, Method] = {"cva_otsu": cva_otsu, "pca_kmeans": pca_kmeans}


def folds_of(pairs: Sequence[Pair], folds: int) -> list[list[Pair]]:
    """Deals pairs into folds of about equal size, none of which shares a scene with another."""
    scenes: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        scenes[pair.scene].append(pair)
    if len(scenes) < folds:
        raise SystemExit(f"--folds {folds}: a set has {len(scenes)} scenes only; ask for no more folds than that.")
    dealt: list[list[Pair]] = [[] for _ in range(folds)]
    for members in sorted(scenes.values(), key=len, reverse=True):
        min(dealt, key=len).extend(members)
    return dealt


def measure(
    sets: dict[str, list[Pair]], schedule: Schedule, folds: int, seed: int
) -> dict[str, dict[str, PixelCounts]]:
    """Counts by set and method, on left-out scenes."""
    console = Console(file=sys.stderr)
    counts: dict[str, dict[str, PixelCounts]] = {name: defaultdict(PixelCounts) for name in sets}
    dealt = {name: folds_of(pairs, folds) for name, pairs in sets.items()}
    for left_out in range(folds):
        began = time.monotonic()
        rest = [[pair for fold in parts if fold is not parts[left_out] for pair in fold] for parts in dealt.values()]
        network = fit(rest, schedule, Augmentation(), seed + left_out)
        console.print(f"fold {left_out + 1} of {folds}: fitted in {time.monotonic() - began:.0f} s")
        for name, parts in dealt.items():
            for pair in parts[left_out]:
                found = likelihood(network, pair.before, pair.after) > THRESHOLD
                counts[name]["network"] += PixelCounts.of(found, pair.mask > 0)
                for method, find in BASELINES.items():
                    counts[name][method] += PixelCounts.of(find(pair.before, pair.after), pair.mask > 0)
    return counts


def _scores(seen: PixelCounts) -> dict[str, float]:
    """Precision, recall and F1 of change."""
    return {name: round(float(getattr(seen, name)), 3) for name in ("precision", "recall", "f1")}


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=PUBLIC_DATA_DIR, help="folder of the three sets' folders")
    parser.add_argument("--steps", type=int, default=Schedule().steps, help="steps per network (default: %(default)s)")
    parser.add_argument("--folds", type=int, default=3, help="networks to fit (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and crops (default: %(default)s)")
    options = parser.parse_args()
    began = time.monotonic()
    schedule = Schedule(steps=options.steps)
    sets = {name: list(read(options.data)) for name, read in SETS.items()}
    counts = measure(sets, schedule, options.folds, options.seed)
    scores = {name: {method: _scores(seen) for method, seen in of.items()} for name, of in counts.items()}
    print(f"{'set':<18}{'method':<12}{'precision':>10}{'recall':>8}{'F1':>7}")
    for name, methods in scores.items():
        for method, score in methods.items():
            print(f"{name:<18}{method:<12}{score['precision']:>10.3f}{score['recall']:>8.3f}{score['f1']:>7.3f}")
    seconds = round(time.monotonic() - began)
    settings = {"folds": options.folds, "seed": options.seed, "schedule": asdict(schedule)}
    print(json.dumps({"scores": scores, "seconds": seconds, **settings}))


if __name__ == "__main__":
    main()
