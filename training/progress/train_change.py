"""Fits the multispectral change network on simulated pairs."""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from services.progress_monitor.imagery.sensors import BANDS
from training.optimisation import half_precision
from training.progress.network import ChangeNetwork

_RATE = 3e-3
_BATCH = 24
_BAND_SETS = ((0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 4, 5), (0, 1, 2, 3), (0, 1, 2))
"""Bands that a pair keeps: all of them, those at 10 m, or the visible ones alone."""


class Pairs:
    """Pairs in memory, drawn with other radiometry each time.

    Args:
        file: As `training.progress.pairs` writes it.
    """

    def __init__(self, file: Path) -> None:
        with np.load(file) as stored:
            self.before: NDArray[np.float16] = stored["before"]
            self.after: NDArray[np.float16] = stored["after"]
            self.shares: NDArray[np.uint8] = stored["shares"]

    def batches(self, rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
        """Batches (before, after, shares) without end."""
        while True:
            chosen = rng.integers(0, len(self.before), _BATCH)
            parts = (self.before[chosen], self.after[chosen], self.shares[chosen] / 255)
            before, after, shares = _turned([np.asarray(part, np.float32) for part in parts], rng)
            common = np.exp(rng.normal(0, 0.15, (_BATCH, len(BANDS), 1, 1)) + rng.normal(0, 0.2, (_BATCH, 1, 1, 1)))
            own = np.exp(rng.normal(0, 0.05, (_BATCH, len(BANDS), 1, 1)))
            path = np.abs(rng.normal(0, 0.03, (_BATCH, 1, 1, 1))) * np.array([1, 0.8, 0.6, 0.4, 0, 0])[:, None, None]
            before, after = before * common + path, after * common * own + path
            for row in range(_BATCH):
                missing = np.setdiff1d(np.arange(len(BANDS)), _BAND_SETS[int(rng.integers(len(_BAND_SETS)))])
                before[row, missing] = 0
                after[row, missing] = 0
            yield torch.from_numpy(np.float32(before)), torch.from_numpy(np.float32(after)), torch.from_numpy(shares)


def _turned(layers: Sequence[NDArray[np.float32]], rng: np.random.Generator) -> tuple[NDArray[np.float32], ...]:
    turns, flip = int(rng.integers(4)), bool(rng.random() < 0.5)
    turned = [np.rot90(layer, turns, (2, 3)) for layer in layers]
    return tuple(np.ascontiguousarray(layer[..., ::-1] if flip else layer) for layer in turned)


def fit(network: ChangeNetwork, pairs: Pairs, steps: int, seed: int, out: Path) -> None:
    """Fits the network in place by AdamW with a cosine schedule and writes its weights."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-3)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps, pct_start=0.05)
    batches = pairs.batches(np.random.default_rng(seed))
    network.train().to(memory_format=torch.channels_last)  # depthwise convolutions are four times as fast so
    for _ in track(range(steps), "fitting"):
        before, after, shares = next(batches)
        with half_precision(before.device):
            logits = network(*(part.contiguous(memory_format=torch.channels_last) for part in (before, after)))
        loss = nn.functional.cross_entropy(logits.float(), shares)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        rates.step()
    out.parent.mkdir(parents=True, exist_ok=True)
    torch.save(network.state_dict(), out)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=Path, default=Path("var/progress/pairs.npz"))
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("var/progress/change.pt"))
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    fit(ChangeNetwork(), Pairs(arguments.pairs), arguments.steps, arguments.seed, arguments.out)


if __name__ == "__main__":
    main()
