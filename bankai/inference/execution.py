"""Running several requests as one batch, in a thread, without mixing up or losing any of them."""

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np

from bankai.inference.backend import Tensor, Tensors

Run = Callable[[Tensors], dict[str, Tensor]]
Outcome = dict[str, Tensor] | BaseException | None


class Runnable(Protocol):
    """A request as far as running it is concerned."""

    inputs: Tensors
    rows: int

    @property
    def abandoned(self) -> bool:
        """Whether nobody waits for the answer any more."""
        ...


class BatchShapeError(Exception):
    """A model answered with another number of rows than it was asked."""


def run_batch(run: Run, requests: Sequence[Runnable]) -> list[Outcome]:
    """Runs requests together; if that fails, each alone, so that a bad one harms only itself.

    Args:
        run: Runs the model.
        requests: Requests whose inputs can be stacked.

    Returns:
        For each request its outputs, the error of its own run, or None where it was given up before it ran alone.
    """
    try:
        return list(_split(run(_stack(requests)), requests))
    # Whatever a model's run raises belongs to its requests, and must not end the thread.
    except Exception as error:  # noqa: BLE001  # see above
        if len(requests) == 1:
            return [error]
    return [None if request.abandoned else run_batch(run, [request])[0] for request in requests]


def _stack(requests: Sequence[Runnable]) -> Tensors:
    first = requests[0].inputs
    if len(requests) == 1:
        return first
    return {name: np.concatenate([request.inputs[name] for request in requests]) for name in first}


def _split(outputs: dict[str, Tensor], requests: Sequence[Runnable]) -> Sequence[dict[str, Tensor]]:
    if len(requests) == 1:
        return [outputs]
    total = sum(request.rows for request in requests)
    for name, tensor in outputs.items():
        # A model whose output has no batch axis would otherwise give one caller what is another's.
        if not tensor.ndim or tensor.shape[0] != total:
            raise BatchShapeError(f"output {name!r} has shape {tensor.shape} for {total} rows")
    answers = []
    start = 0
    for request in requests:
        answers.append({name: tensor[start : start + request.rows] for name, tensor in outputs.items()})
        start += request.rows
    return answers
