"""A unary call to a backend: its first attempt, its retries and its hedge."""

import asyncio
import math
import random
import time
from dataclasses import dataclass

import grpc

from bankai.interceptors.base import DEADLINE_SLACK_S
from bankai.interceptors.deadline import remaining
from bankai.status import from_rpc_error
from gateway import failures
from gateway.metadata import Metadatum
from gateway.routing.backend import Backend
from gateway.routing.method import Method

_MAX_ATTEMPTS = 3
_FIRST_PAUSE_S = 0.1
_MAX_PAUSE_S = 1.0


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to a backend.

    Attributes:
        method: What is known of the method.
        message: The request, not parsed.
        metadata: Metadata of the call to the backend.
        weighed: Whether a canary is judged by it.
        hedge_after_s: Seconds without an answer after which there may be a second attempt; None makes none.
    """

    method: Method
    message: bytes
    metadata: tuple[Metadatum, ...]
    weighed: bool = False
    hedge_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the response, not parsed, and the backend's metadata."""

    message: bytes
    initial: tuple[Metadatum, ...]
    trailing: tuple[Metadatum, ...]


async def answered(backend: Backend, request: Request) -> Answer:
    """Asks until there is an answer, as often as the method and the backend's budget allow.

    Raises:
        grpc.aio.AioRpcError: The last attempt's error.
        UnavailableError: BACKEND_CIRCUIT_OPEN.
    """
    made = 1
    while True:
        try:
            if request.hedge_after_s is None or not request.method.without_effects:
                return await attempt(backend, request)
            return await _hedged(backend, request, request.hedge_after_s)
        except grpc.aio.AioRpcError as error:
            pause = _pause(error, made) if request.method.idempotent else None
            if pause is None:
                raise
            backend.budget.failed()
            if made == _MAX_ATTEMPTS or not backend.budget.allows_retry or pause >= remaining():
                raise
        await asyncio.sleep(pause)
        made += 1
        backend.retried()


async def attempt(backend: Backend, request: Request) -> Answer:
    """Asks once, and tells the backend's breaker and limits how it ended.

    Raises:
        grpc.aio.AioRpcError: The backend ended the attempt with an error, or the way to it failed.
        UnavailableError: BACKEND_CIRCUIT_OPEN.
    """
    backend.admit(weighed=request.weighed)
    left = remaining()
    began = time.perf_counter()
    call = backend.unary(request.method.path)(
        request.message, metadata=request.metadata, timeout=None if math.isinf(left) else left
    )
    try:
        message = await call
        initial, trailing = await call.initial_metadata(), await call.trailing_metadata()
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
            backend.timed_out(request.method.name, time.perf_counter() - began, weighed=request.weighed)
        else:
            backend.refused(error, weighed=request.weighed)
        raise
    except asyncio.CancelledError:
        # grpc cancels the handler when the client's deadline passes, a moment before or after the attempt's own.
        if remaining() <= DEADLINE_SLACK_S:
            backend.timed_out(request.method.name, time.perf_counter() - began, weighed=request.weighed)
        raise
    finally:
        call.cancel()
    backend.answered(request.method.name, time.perf_counter() - began, weighed=request.weighed)
    return Answer(message, tuple(initial), tuple(trailing))


async def _hedged(backend: Backend, request: Request, after_s: float) -> Answer:
    """Asks, and asks a second time if there is no answer in time; the first that comes wins."""
    first = asyncio.create_task(attempt(backend, request))
    tasks = {first}
    try:
        await asyncio.wait(tasks, timeout=after_s)
        if not first.done() and backend.budget.take_hedge():
            backend.hedged()
            tasks.add(asyncio.create_task(attempt(backend, request)))
        running = tasks
        while True:
            done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                if not running or not _may_be_better(task):
                    if task is not first and task.exception() is None:
                        backend.hedge_won()
                    return task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _may_be_better(task: "asyncio.Task[Answer]") -> bool:
    """Whether the other attempt may end better than this one has: a refusal by the backend is an answer, too."""
    error = task.exception()
    return error is not None and not (isinstance(error, grpc.aio.AioRpcError) and _least_pause(error) is None)


def _pause(error: grpc.aio.AioRpcError, made: int) -> float | None:
    """How long to wait until the next attempt, in seconds; None where the error tells against one.

    Args:
        error: How the latest attempt ended.
        made: Attempts so far.
    """
    least = _least_pause(error)
    if least is None:
        return None
    # With jitter, so that the callers of a lost pod do not come back together.
    return least + random.uniform(0, min(_FIRST_PAUSE_S * 2 ** (made - 1), _MAX_PAUSE_S))  # noqa: S311  # no secret


def _least_pause(error: grpc.aio.AioRpcError) -> float | None:
    """How long the backend wants to be left alone, in seconds; None where the same call would end the same way."""
    if failures.lost(error):
        return 0.0
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return from_rpc_error(error).retry_after
    return None
