"""Fits the sub-metre change network that is shipped: to drawn pairs over public-domain ground alone.

python -m training.progress.rgb.train [--steps N] [--start WEIGHTS] [--seed N]
"""

import argparse
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor, nn

from services.progress_monitor.change.detail import DetailChange
from training.optimisation import device
from training.paths import PUBLIC_DATA_DIR, RGB_CHANGE
from training.progress.rgb.drawn.ground import Ground
from training.progress.rgb.drawn.pairs import UNSURE, DrawnPair, draw_pair
from training.progress.rgb.fitting import Batch, Schedule, optimise, pictures
from training.progress.rgb.network import RgbChangeNetwork

SIDE = 256
"""Pixels of a drawn pair's side."""
_AHEAD = 4
"""Batches that are drawn while the network learns."""
_KEPT = 400
"""Pairs that are shown once more, turned: drawing one costs as much as learning from it."""

_ground: Ground | None = None


def surface_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy, and a Dice loss on buildings; `UNSURE` pixels only have to be some change.

    Args:
        logits: [n, classes, rows, columns].
        target: [n, rows, columns] `DetailChange` or `UNSURE`.

    Returns:
        A scalar.
    """
    likely = nn.functional.log_softmax(logits.float(), 1)
    changed = torch.logsumexp(likely[:, DetailChange.GROUND :], 1, keepdim=True)
    entropy = nn.functional.nll_loss(torch.cat((likely, changed), 1), target)
    sure = target != UNSURE
    built = likely[:, DetailChange.BUILT].exp()[sure]
    truth = (target[sure] == DetailChange.BUILT).float()
    dice = (2 * (built * truth).sum() + 1) / (built.sum() + truth.sum() + 1)
    return entropy + 0.5 * (1 - dice)


def drawn_batches(folder: Path, batch: int, seed: int, drawers: int = 1) -> Iterator[Batch]:
    """Endless batches (before, after, target), half of them drawn ahead by other processes, half shown before.

    Args:
        folder: Of the ground's pictures.
        batch: Pairs in each, even.
        seed: Of the first pair.
        drawers: How many processes.
    """
    rng = np.random.default_rng(seed)
    with ProcessPoolExecutor(drawers, initializer=_prepare, initargs=(folder,)) as pool:
        waiting: deque[Future[list[DrawnPair]]] = deque()
        kept: deque[DrawnPair] = deque(maxlen=_KEPT)
        while True:
            while len(waiting) < _AHEAD:
                waiting.append(pool.submit(_drawn, range(seed, seed + batch // 2)))
                seed += batch // 2
            kept.extend(pairs := waiting.popleft().result())
            pairs = pairs + [_turned(kept[int(rng.integers(len(kept)))], rng) for _ in pairs]
            target = torch.from_numpy(np.stack([pair.target for pair in pairs])).to(device(), torch.int64)
            yield pictures([pair.before for pair in pairs]), pictures([pair.after for pair in pairs]), target


def _turned(pair: DrawnPair, rng: np.random.Generator) -> DrawnPair:
    turns, flip = int(rng.integers(1, 4)), bool(rng.random() < 0.5)
    layers = [np.rot90(layer, turns) for layer in (pair.before, pair.after, pair.target)]
    return DrawnPair(*(np.ascontiguousarray(layer[::-1] if flip else layer) for layer in layers))


def _prepare(folder: Path) -> None:
    global _ground  # noqa: PLW0603  # one per process of the pool
    cv2.setNumThreads(1)
    _ground = Ground.read(folder)


def _drawn(seeds: range) -> list[DrawnPair]:
    return [draw_pair(_ground, SIDE, np.random.default_rng(seed)) for seed in seeds if _ground]


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=PUBLIC_DATA_DIR / "uc_merced", help="folder of the ground")
    parser.add_argument("--steps", type=int, default=1200, help="(default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights and pairs (default: %(default)s)")
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--out", type=Path, default=RGB_CHANGE, help="file of weights to write")
    options = parser.parse_args()
    torch.manual_seed(options.seed)
    network = RgbChangeNetwork(len(DetailChange))
    schedule = Schedule(steps=options.steps)
    if options.start is not None:
        network.load_state_dict(torch.load(options.start))
        # Lower rates, so that a few more steps do not undo the many before.
        schedule = replace(schedule, encoder_rate=schedule.encoder_rate / 3, decoder_rate=schedule.decoder_rate / 3)
    source = drawn_batches(options.data, schedule.batch, 1_000_000 * (1 + options.seed))
    optimise(network, source, surface_loss, schedule, options.out)


if __name__ == "__main__":
    main()
