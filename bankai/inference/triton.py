"""The Triton backend: a server elsewhere runs the models."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import grpc
import numpy as np
from tritonclient.grpc import InferInput, InferResult
from tritonclient.grpc.aio import InferenceServerClient
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from bankai.errors import BankaiError, DeadlineError, InvalidRequestError, NotFoundError, UnavailableError
from bankai.inference import failures
from bankai.inference.backend import InferenceResult, Tensors
from bankai.inference.metrics import RemoteMetrics, counted
from bankai.inference.triton_errors import classify

T = TypeVar("T")

_CHANNEL = (
    # Tensors of images and pages are larger than gRPC's default of 4 MiB.
    ("grpc.max_send_message_length", 64 * 1024 * 1024),
    ("grpc.max_receive_message_length", 64 * 1024 * 1024),
    # A restarted server is found again within a second; gRPC's own default grows to two minutes.
    ("grpc.initial_reconnect_backoff_ms", 50),
    ("grpc.min_reconnect_backoff_ms", 50),
    ("grpc.max_reconnect_backoff_ms", 1000),
    # Each backend has its own connection, so that closing or losing one says nothing about another.
    ("grpc.use_local_subchannel_pool", 1),
)
_FIRST_BACKOFF = 0.02
_LONGEST_BACKOFF = 0.5
_READY_TIMEOUT = 1.0


class TritonBackend:
    """Sends requests to a Triton server; implements `InferenceBackend`.

    What is left of the deadline goes along twice: as the rpc's deadline, and as Triton's own queue time-out (honoured
    where the model's config.pbtxt says `allow_timeout_override`). UNAVAILABLE is retried within the deadline.

    Args:
        url: host:port of the server's gRPC endpoint.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: InferenceServerClient | None = None
        self._metrics: dict[str, RemoteMetrics] = {}
        self._closed = False

    async def infer(self, model: str, inputs: Tensors, *, timeout: float) -> InferenceResult:  # noqa: ASYNC109  # sent along
        """Runs one request; see `InferenceBackend.infer`."""
        start = time.monotonic()
        with counted(model):
            try:
                tensors = [_input(name, tensor) for name, tensor in inputs.items()]
                return _result(await self._persist(model, tensors, start + timeout))
            finally:
                self._measure(model, time.monotonic() - start)

    async def ready(self, model: str) -> bool:
        """Whether Triton says that the model can answer. Never raises."""
        try:
            return bool(await self._call(lambda client: client.is_model_ready(model, client_timeout=_READY_TIMEOUT)))
        except (InferenceServerException, UnavailableError):
            return False

    async def close(self) -> None:
        """Closes the connection; requests in flight are answered UnavailableError."""
        self._closed = True
        if self._client:
            await self._client.close()

    async def _persist(self, model: str, inputs: list[InferInput], deadline: float) -> InferResult:
        """Tries until there is an answer, a failure that stays, or no time for another try."""
        backoff = _FIRST_BACKOFF
        # Running out of time while Triton is away tells less than that it is away.
        why: BankaiError = failures.too_late()
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise why
            try:
                return await self._try(model, inputs, left)
            except InferenceServerException as exception:
                failure = classify(exception)
                if failure.unknown_model and not await self._known(model, deadline):
                    raise NotFoundError("MODEL_NOT_FOUND", "the model is not in the repository") from exception
                # Full jitter: callers that failed together do not come back together.
                pause = random.uniform(0, backoff)  # noqa: S311 - no secret depends on it
                if not isinstance(failure.error, DeadlineError):
                    why = failure.error
                if not failure.passing or pause >= deadline - time.monotonic():
                    raise why from exception
            await asyncio.sleep(pause)
            backoff = min(2 * backoff, _LONGEST_BACKOFF)

    async def _try(self, model: str, inputs: list[InferInput], left: float) -> InferResult:
        queue_timeout = max(1, int(left * 1e6))  # microseconds; 0 would mean any time
        return await self._call(lambda client: client.infer(model, inputs, client_timeout=left, timeout=queue_timeout))

    async def _known(self, model: str, deadline: float) -> bool:
        """Whether a model that Triton does not serve lies in its repository, unloaded or not ready yet."""
        left = deadline - time.monotonic()
        if left <= 0:
            return True
        try:
            index = await self._call(lambda client: client.get_model_repository_index(client_timeout=left))
        except InferenceServerException:
            return True
        return any(entry.name == model for entry in index.models)

    async def _call(self, rpc: Callable[[InferenceServerClient], Awaitable[T]]) -> T:
        if self._closed:
            raise failures.closed()
        if self._client is None:
            # Not in the constructor: a channel belongs to the event loop that it is made in.
            self._client = InferenceServerClient(self._url, channel_args=_CHANNEL)
        try:
            return await rpc(self._client)
        except asyncio.CancelledError:
            # Closing the channel cancels its rpcs, which grpc.aio reports as if this task had been cancelled.
            task = asyncio.current_task()
            if self._closed and task is not None and not task.cancelling():
                raise failures.closed() from None
            raise
        except grpc.aio.UsageError:
            raise failures.closed() from None

    def _measure(self, model: str, seconds: float) -> None:
        metrics = self._metrics.get(model)
        if metrics is None:
            metrics = self._metrics[model] = RemoteMetrics(model)
        metrics.seconds.observe(seconds)


def _input(name: str, tensor: np.ndarray) -> InferInput:
    dtype = np_to_triton_dtype(tensor.dtype)
    if dtype is None:
        raise InvalidRequestError(
            "MODEL_INPUT_INVALID", f"input {name!r} has type {tensor.dtype}, which no model takes"
        )
    message = InferInput(name, tensor.shape, dtype)
    try:
        message.set_data_from_numpy(tensor)
    except InferenceServerException as error:
        raise InvalidRequestError("MODEL_INPUT_INVALID", f"input {name!r} cannot be sent to a model") from error
    return message


def _result(result: InferResult) -> InferenceResult:
    response = result.get_response()
    outputs = {output.name: result.as_numpy(output.name) for output in response.outputs}
    return InferenceResult(outputs=outputs, version=response.model_version)
