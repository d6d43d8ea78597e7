"""How every network here is fitted: AdamW, lower rates for lower layers, warm-up, cosine decay, bf16 where it pays."""

import math
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from rich.console import Console
from rich.progress import Progress
from torch import Tensor

from training.network import EncoderNetwork

Batch = TypeVar("Batch")

CHECKPOINT_STEPS = 200
"""Steps between two checkpoints."""


@dataclass(frozen=True)
class Schedule:
    """How many steps, and how large.

    Attributes:
        steps: Number of steps.
        encoder_rate: Learning rate of the encoder's top layer.
        layer_decay: Factor from each layer to the one below.
        head_rate: Learning rate of the heads.
        ngram_rate: Learning rate of the n-gram table.
        weight_decay: AdamW's, on the encoder's and heads' matrices.
        ngram_decay: AdamW's, on the n-gram table.
        warm_up: Share of the steps in which the rate rises.
    """

    steps: int
    encoder_rate: float = 8e-5
    layer_decay: float = 0.9
    head_rate: float = 1e-3
    ngram_rate: float = 5e-3
    weight_decay: float = 0.01
    ngram_decay: float = 0.05
    warm_up: float = 0.1


def device() -> torch.device:
    """The GPU where there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def half_precision(where: torch.device) -> torch.autocast:
    """Computes in bf16 on a GPU and on a CPU that multiplies it natively, which halves a step's time; else in fp32."""
    pays = where.type != "cpu" or bool(torch.cpu.get_capabilities().get("avx512_bf16"))
    return torch.autocast(where.type, dtype=torch.bfloat16, enabled=pays)


def parameter_groups(network: EncoderNetwork, schedule: Schedule) -> list[dict[str, object]]:
    """One optimiser group per depth of the network."""
    depth = network.encoder.config.num_hidden_layers
    groups: dict[tuple[float, float], list[torch.nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        if not parameter.requires_grad:
            continue
        decay = schedule.weight_decay if parameter.ndim > 1 else 0.0
        if name.startswith("ngrams."):
            rate, decay = schedule.ngram_rate, schedule.ngram_decay
        elif not name.startswith("encoder."):
            rate = schedule.head_rate
        else:
            parts = name.split(".")
            above = depth - 1 - int(parts[3]) if parts[1] == "encoder" else depth
            rate = schedule.encoder_rate * schedule.layer_decay**above
        groups.setdefault((rate, decay), []).append(parameter)
    return [{"params": members, "lr": rate, "weight_decay": decay} for (rate, decay), members in groups.items()]


def fit(
    network: EncoderNetwork,
    batches: Iterable[Batch],
    loss: Callable[[Batch], Tensor],
    schedule: Schedule,
    out: Path | None = None,
) -> None:
    """Fits a network in place.

    Args:
        network: On its device already.
        batches: Taken one per step.
        loss: From a batch to a scalar.
        schedule: How many steps, and how large.
        out: File for the network's weights, written after every `CHECKPOINT_STEPS` steps, so that a run cut short is
            not lost, and at the end; None writes none.
    """
    optimiser = torch.optim.AdamW(parameter_groups(network, schedule), betas=(0.9, 0.98), eps=1e-6)
    steps = schedule.steps
    rising = max(1, round(schedule.warm_up * steps))
    rates = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min(
            (step + 1) / rising, 0.5 * (1 + math.cos(math.pi * max(0, step - rising) / (steps - rising + 1)))
        ),
    )
    network.train()
    where = device()
    console = Console(file=sys.stderr)
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("fitting", total=steps)
        for step, batch in zip(range(1, steps + 1), batches, strict=False):
            with half_precision(where):
                value = loss(batch)
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
            optimiser.step()
            rates.step()
            progress.update(task, advance=1, description=f"fitting, loss {value.item():.3f}")
            if step % CHECKPOINT_STEPS == 0:
                _save(network, out)
                if not console.is_terminal:
                    console.print(f"step {step} of {steps}, loss {value.item():.3f}")
    network.eval()
    _save(network, out)


def _save(network: EncoderNetwork, out: Path | None) -> None:
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        torch.save(network.state_dict(), out)
