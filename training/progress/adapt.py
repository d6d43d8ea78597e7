"""Adapts the change model to a bank's own labelled pairs, and says by left-out pairs whether that helps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from services.progress_monitor.alignment.matching import matched
from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.evaluation.change import THRESHOLD, PairFiles, read_labelled
from services.progress_monitor.evaluation.counts import PixelCounts
from training.optimisation import half_precision
from training.progress.network import ChangeNetwork

_SIDE = 96
_BATCH = 16
_RATE = 1e-3
_RARE = 3.0
"""Weight of changed pixels: there are few."""


@dataclass(frozen=True, slots=True)
class LabelledPair:
    """A pair, ready to learn from.

    Attributes:
        name: Of its folder.
        before: Reflectance [6, rows, columns]; zero where there is none.
        after: The same of the second date, aligned and normalised to the first.
        changed: What has changed; [rows, columns].
    """

    name: str
    before: NDArray[np.float32]
    after: NDArray[np.float32]
    changed: NDArray[np.bool_]


def read_pair(files: PairFiles) -> LabelledPair:
    """Reads a pair, registers and normalises it as the service does.

    Raises:
        BadInputError: One of its files cannot be read.
    """
    before, after, changed = read_labelled(files)
    _, same = matched(after.reflectance, before.reflectance)
    common = (before.reflectance > 0) & (same > 0)
    return LabelledPair(files.name, before.reflectance * common, same * common, changed)


def shipped(model: Path) -> ChangeNetwork:
    """The network that is served, to go on from.

    Args:
        model: Its ONNX file.
    """
    stored = {each.name: numpy_helper.to_array(each) for each in onnx.load(model).graph.initializer}
    network = ChangeNetwork()
    weights = {name: torch.from_numpy(stored[f"network.{name}"].copy()) for name in network.state_dict()}
    network.load_state_dict(weights)
    return network


def adapt(network: ChangeNetwork, pairs: Sequence[LabelledPair], steps: int, tick: Callable[[], None]) -> None:
    """Fits the network to pairs, in place: a pixel has changed where it is not as before."""
    optimiser = torch.optim.AdamW(network.parameters(), lr=_RATE, weight_decay=1e-2)
    rates = torch.optim.lr_scheduler.OneCycleLR(optimiser, _RATE, total_steps=steps, pct_start=0.1)
    rng = np.random.default_rng(0)
    network.train().to(memory_format=torch.channels_last)
    for _ in range(steps):
        before, after, changed = _batch(pairs, rng)
        with half_precision(before.device):
            logits = network(*(part.contiguous(memory_format=torch.channels_last) for part in (before, after)))
        odds = _odds(logits.float())
        weight = 1 + (_RARE - 1) * changed
        loss = nn.functional.binary_cross_entropy_with_logits(odds, changed, weight=weight)
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        rates.step()
        tick()
    network.eval()


def judge(network: ChangeNetwork, pair: LabelledPair) -> PixelCounts:
    """How the network does on a pair."""
    rows, columns = (length - length % 2 for length in pair.changed.shape)
    with torch.no_grad():
        inputs = [torch.from_numpy(part[None, :, :rows, :columns].copy()) for part in (pair.before, pair.after)]
        found = (torch.sigmoid(_odds(network(*inputs)))[0] > THRESHOLD).numpy()
    return PixelCounts.of(found, pair.changed[:rows, :columns])


def _odds(logits: Tensor) -> Tensor:
    """Logit of change [pairs, rows, columns]: all surfaces against the one that is as before."""
    others = torch.cat((logits[:, : Surface.AS_BEFORE], logits[:, Surface.AS_BEFORE + 1 :]), 1)
    return torch.logsumexp(others, 1) - logits[:, Surface.AS_BEFORE]


def _batch(pairs: Sequence[LabelledPair], rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Pieces of pairs, half of them around something that has changed, turned and with other radiometry."""
    before, after, changed = [], [], []
    for number in range(_BATCH):
        pair = pairs[int(rng.integers(len(pairs)))]
        places = np.argwhere(pair.changed) if number % 2 else ()
        side = min(_SIDE, *(length - length % 2 for length in pair.changed.shape))
        tops = [length - side + 1 for length in pair.changed.shape]
        if len(places):
            middle = places[int(rng.integers(len(places)))] - rng.integers(0, side, 2)
            top, left = (int(np.clip(each, 0, most - 1)) for each, most in zip(middle, tops, strict=True))
        else:
            top, left = (int(rng.integers(most)) for most in tops)
        cut = (slice(top, top + side), slice(left, left + side))
        gain = np.exp(rng.normal(0, 0.2) + rng.normal(0, 0.1, (6, 1, 1)))
        own = np.exp(rng.normal(0, 0.05, (6, 1, 1)))
        turns, flip = int(rng.integers(4)), 1 if rng.random() < 0.5 else -1
        swap = rng.random() < 0.3  # what was built is torn down: a change, too
        one, two = (pair.after, pair.before) if swap else (pair.before, pair.after)
        before.append(np.rot90(one[:, *cut] * gain, turns, (1, 2))[..., ::flip])
        after.append(np.rot90(two[:, *cut] * gain * own, turns, (1, 2))[..., ::flip])
        changed.append(np.rot90(pair.changed[cut], turns)[..., ::flip])
    return _tensor(before), _tensor(after), _tensor(changed)


def _tensor(parts: Sequence[NDArray[np.generic]]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(np.stack(parts), np.float32))
