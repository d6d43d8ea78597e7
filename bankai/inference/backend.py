"""The one protocol through which tensors go to a model and come back."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Tensor = NDArray[Any]
Tensors = Mapping[str, Tensor]


@dataclass(frozen=True)
class InferenceResult:
    """What a model answered.

    Attributes:
        outputs: Output tensors by name; the first axis is the batch, as in the request.
        version: Version of the model that answered, e.g. "1".
    """

    outputs: dict[str, Tensor]
    version: str


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model.

    Attributes:
        name: Name of the tensor.
        dtype: Its element type.
        shape: Its shape without the batch axis; -1 where any length will do.
        optional: Whether a request may leave it out.
    """

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    optional: bool = False


class InferenceBackend(Protocol):
    """Runs the models of one repository. Safe to use from many tasks of one event loop.

    Every method raises a `BankaiError`: InvalidRequestError (MODEL_INPUT_INVALID) for tensors that the model does not
    take, NotFoundError (MODEL_NOT_FOUND), UnavailableError (MODEL_UNAVAILABLE, INFERENCE_UNAVAILABLE), ExhaustedError
    (INFERENCE_QUEUE_FULL, INFERENCE_QUEUE_TIMEOUT), DeadlineError (DEADLINE_EXCEEDED) or FaultError (INFERENCE_FAILED).
    """

    async def infer(self, model: str, inputs: Tensors, *, timeout: float) -> InferenceResult:  # noqa: ASYNC109  # sent along
        """Runs one request through a model.

        Args:
            model: Name of the model in the repository.
            inputs: Input tensors by name; axis 0 is the batch, of 1 to the model's max_batch_size rows.
            timeout: Seconds until the answer is of no use any more; sent along to the backend.

        Cancelling the task gives the request up: it is dropped where it has not started to run.
        """
        ...

    async def ready(self, model: str) -> bool:
        """Whether the model can answer now. Never raises."""
        ...

    async def close(self) -> None:
        """Gives up every resource. Requests that wait are answered UnavailableError."""
        ...
