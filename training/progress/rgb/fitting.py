"""Fits a change network to pairs with binary masks, in minutes on two cores."""

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress
from torch import Tensor

from training.optimisation import device, half_precision
from training.progress.rgb.augment import Augmentation
from training.progress.rgb.network import RgbChangeNetwork
from training.progress.rgb.real_pairs import Pair

Batch = tuple[Tensor, Tensor, Tensor]
Loss = Callable[[Tensor, Tensor], Tensor]

KEPT_EVERY = 50
"""Steps between two files of weights."""


@dataclass(frozen=True, slots=True)
class Schedule:
    """How many steps, and how large.

    Attributes:
        steps: Number of steps.
        batch: Crops per step.
        encoder_rate: Highest learning rate of the pretrained encoder.
        decoder_rate: Highest learning rate of the rest.
        weight_decay: AdamW's.
        frozen: Blocks of the encoder that are not fitted.
        warm_up: Share of the steps in which the rates rise.
    """

    steps: int = 300
    batch: int = 8
    encoder_rate: float = 3e-4
    decoder_rate: float = 3e-3
    weight_decay: float = 0.01
    warm_up: float = 0.1
    frozen: int = 5


def change_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Binary cross-entropy plus Dice loss (Milletari, Navab and Ahmadi, "V-Net", 2016) over the batch's pixels.

    Args:
        logits: [n, 1, rows, columns].
        target: [n, 1, rows, columns], 0 or 1.

    Returns:
        A scalar.
    """
    logits = logits.float()
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, target)
    likely = torch.sigmoid(logits)
    dice = (2 * (likely * target).sum() + 1) / (likely.sum() + target.sum() + 1)
    return entropy + 1 - dice


def pictures(arrays: Sequence[np.ndarray]) -> Tensor:
    """Pictures [rows, columns, 3] in 0..255 as one tensor [n, 3, rows, columns] in 0..1, on the device."""
    stacked = torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2)
    return stacked.to(device(), torch.float32).div(255).contiguous(memory_format=torch.channels_last)


def batches(
    sets: Sequence[Sequence[Pair]], augmentation: Augmentation, batch: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """Endless batches (before, after, target), in which every set has the same weight whatever its size."""
    while True:
        first = int(rng.integers(len(sets)))
        crops = []
        for members in (sets[(first + index) % len(sets)] for index in range(batch)):
            pair = members[int(rng.integers(len(members)))]
            crops.append(augmentation(pair.before, pair.after, pair.mask, rng))
        before, after, masks = zip(*crops, strict=True)
        yield pictures(before), pictures(after), torch.from_numpy(np.stack(masks)[:, None]).to(device(), torch.float32)


def fit(sets: Sequence[Sequence[Pair]], schedule: Schedule, augmentation: Augmentation, seed: int) -> RgbChangeNetwork:
    """A network fitted to pairs of several sets.

    Args:
        sets: Pairs of each set, from which crops are drawn with equal weight.
        schedule: How many steps, and how large.
        augmentation: How crops are varied.
        seed: Of the weights and the crops.
    """
    torch.manual_seed(seed)
    network = RgbChangeNetwork()
    optimise(network, batches(sets, augmentation, schedule.batch, np.random.default_rng(seed)), change_loss, schedule)
    return network


def optimise(
    network: RgbChangeNetwork, source: Iterator[Batch], loss: Loss, schedule: Schedule, out: Path | None = None
) -> None:
    """Fits a network in place, and leaves it in evaluation mode.

    Args:
        network: What to fit.
        source: Endless batches (before, after, target).
        loss: From logits and target to a scalar.
        schedule: How many steps, and how large.
        out: File for the weights, written after every `KEPT_EVERY` steps and at the end, so that a run cut short is not
            lost; None writes none.
    """
    network.to(device(), memory_format=torch.channels_last).train()
    network.encoder.freeze(schedule.frozen)
    encoder = [parameter for parameter in network.encoder.parameters() if parameter.requires_grad]
    rest = [parameter for name, parameter in network.named_parameters() if not name.startswith("encoder.")]
    rates = (schedule.encoder_rate, schedule.decoder_rate)
    groups = [{"params": members, "lr": rate} for members, rate in zip((encoder, rest), rates, strict=True)]
    optimiser = torch.optim.AdamW(groups, weight_decay=schedule.weight_decay)
    falling = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, rates, total_steps=schedule.steps, pct_start=schedule.warm_up, cycle_momentum=False
    )
    with Progress(console=Console(file=sys.stderr), transient=True) as progress:
        for step in progress.track(range(1, schedule.steps + 1), description="fitting"):
            before, after, target = next(source)
            with half_precision(device()):
                logits = network(before, after)
            value = loss(logits, target)
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            falling.step()
            if out is not None and (step % KEPT_EVERY == 0 or step == schedule.steps):
                out.parent.mkdir(parents=True, exist_ok=True)
                torch.save(network.state_dict(), out)
    network.eval()
