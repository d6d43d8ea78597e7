"""Fits the work model: where something was built between two dates, from pixels whose truth is known."""

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from rich.progress import track
from torch import Tensor, nn

from bankai.settings import InferenceSettings
from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.change.work import FEATURES, MODEL, pixels
from services.progress_monitor.imagery.sensors import BANDS
from training.onnx_export import trace
from training.progress.pieces import Piece
from training.progress.site_dates import SiteDates, fitted_on, read_sites

_GAPS = (20.0, 220.0)
"""Days between the two dates of a pair."""
_PAIRS = 24
"""Pairs of one site."""
_PIXELS = 60
"""Pixels of one pair that were built on, and as many that were not."""
_BATCH = 1024
_BAND_BLOCKS = (FEATURES - 2 * Surface.HIDDEN) // len(BANDS)
_BAND_SETS = ((0, 1, 2, 3, 4, 5), (0, 1, 2, 3, 4, 5), (0, 1, 2, 3), (0, 1, 2))
"""Bands that a pixel keeps, as in `train_change`."""
_CONFIG = f"""name: "{MODEL}"
backend: "onnxruntime"
max_batch_size: 16384
input [
  {{ name: "pixels" data_type: TYPE_FP32 dims: [ {FEATURES} ] }}
]
output [
  {{ name: "worked" data_type: TYPE_FP32 dims: [ 1 ] }}
]
instance_group [ {{ count: 2 }} ]
"""


class WorkNetwork(nn.Module):
    """From what a pixel showed on two dates to the probability that something was built there in between."""

    def __init__(self) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(FEATURES, 48), nn.ReLU(), nn.Dropout(0.1), nn.Linear(48, 24), nn.ReLU(), nn.Linear(24, 1)
        )

    def logits(self, rows: Tensor) -> Tensor:
        """Logits [pixels, 1]."""
        found: Tensor = self.body(rows)
        return found

    def forward(self, rows: Tensor) -> Tensor:
        """Probabilities [pixels, 1] of features [pixels, FEATURES]."""
        return torch.sigmoid(self.logits(rows))


def draw_pixels(
    sites: Sequence[SiteDates], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Pixels of pairs of dates, and whether something was built there: [n, FEATURES], [n]."""
    rows, built = [], []
    for site in track(sites, "pairs"):
        looks = site.looks()
        apart = site.day[None, :] - site.day[:, None]
        pairs = np.argwhere((apart >= _GAPS[0]) & (apart <= _GAPS[1]))
        for before, now in pairs[rng.permutation(len(pairs))[:_PAIRS]]:
            found = pixels(looks[now].shown, looks[before].shown, site.site)
            if found is None:
                continue
            both = site.usable[now] & site.usable[before]
            then, later = site.pieces[before][both], site.pieces[now][both]
            known = (then != Piece.UNKNOWN) & (later != Piece.UNKNOWN)
            for answer in (False, True):
                chosen = rng.permutation(np.flatnonzero(known & ((then != later) == answer)))[:_PIXELS]
                rows.append(found[chosen])
                built.append(np.full(len(chosen), answer, np.float32))
    return np.concatenate(rows), np.concatenate(built)


def fit(rows: NDArray[np.float32], built: NDArray[np.float32], steps: int, seed: int) -> WorkNetwork:
    """Fits the network by AdamW with a cosine schedule; in half of the rows some bands are missing."""
    torch.manual_seed(seed)
    network = WorkNetwork()
    optimiser = torch.optim.AdamW(network.parameters(), lr=3e-3, weight_decay=1e-2)
    rates = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    rng = np.random.default_rng(seed)
    keeps = np.stack([np.isin(np.arange(len(BANDS)), bands) for bands in _BAND_SETS]).astype(np.float32)
    for _ in track(range(steps), "fitting"):
        batch = rng.integers(0, len(rows), _BATCH)
        seen = rows[batch]
        seen[:, : _BAND_BLOCKS * len(BANDS)] *= np.tile(keeps[rng.integers(0, len(keeps), _BATCH)], _BAND_BLOCKS)
        logits = network.logits(torch.from_numpy(seen))[:, 0]
        loss = nn.functional.binary_cross_entropy_with_logits(logits, torch.from_numpy(built[batch]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        rates.step()
    return network.eval()


def export(network: WorkNetwork, folder: Path) -> None:
    """Writes the network and its config.pbtxt into a model's folder."""
    axes = {name: {0: "rows"} for name in ("pixels", "worked")}
    trace(network, {"pixels": torch.rand(2, FEATURES)}, ["worked"], folder / "1" / "model.onnx", axes)
    (folder / "config.pbtxt").write_text(_CONFIG, encoding="utf-8")


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sites", type=Path, nargs="+", default=[Path("var/progress/sites"), Path("var/progress/stalled")]
    )
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--models", type=Path, default=InferenceSettings().models_dir)
    arguments = parser.parse_args()
    sites = fitted_on(read_sites(arguments.sites))
    rows, built = draw_pixels(sites, np.random.default_rng(arguments.seed))
    export(fit(rows, built, arguments.steps, arguments.seed), arguments.models / MODEL)


if __name__ == "__main__":
    main()
