"""What a caller meets when the real Triton is slow, full, killed, or has a model unloaded."""

import asyncio
import os
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import psutil
import pytest
from tritonclient.grpc.aio import InferenceServerClient

from bankai.errors import DeadlineError, ExhaustedError, NotFoundError, UnavailableError
from bankai.inference.backend import Tensors
from bankai.inference.triton import TritonBackend
from bankai.inference.triton_server import TritonInstallation, TritonServer

pytestmark = pytest.mark.slow

_X: Tensors = {"x": np.ones((1, 2), np.float32)}


def _rounds(count: int) -> Tensors:
    """About 0.2 ms of work each on a machine that does nothing else, and several times that on one that does."""
    return {"x": np.array([[count]])}


@pytest.fixture
async def backend(triton: TritonServer) -> AsyncIterator[TritonBackend]:
    opened = TritonBackend(triton.grpc_url)
    yield opened
    await opened.close()


@pytest.fixture
async def client(triton: TritonServer) -> AsyncIterator[InferenceServerClient]:
    async with InferenceServerClient(triton.grpc_url) as opened:
        yield opened


@pytest.fixture
def own_server(repository: Path, triton_installation: TritonInstallation, tmp_path: Path) -> Iterator[TritonServer]:
    """A server that a test may kill."""
    with TritonServer(
        repository, models=["double", "narrow"], log=tmp_path / "log.txt", installation=triton_installation
    ) as server:
        yield server


async def _executed(client: InferenceServerClient, model: str) -> int:
    statistics = await client.get_inference_statistics(model, client_timeout=10)
    return int(statistics.model_stats[0].inference_count)


async def _idle(backend: TritonBackend, model: str) -> None:
    """Waits until a model that runs one request at a time has nothing left to do."""
    async with asyncio.timeout(60):
        while True:
            try:
                await backend.infer(model, _rounds(0), timeout=60)
            except ExhaustedError:
                # What was given up counts as waiting until Triton comes to it.
                await asyncio.sleep(0.1)
            else:
                return


async def test_slow_the_deadline_holds(backend: TritonBackend, client: InferenceServerClient) -> None:
    before = await _executed(client, "narrow")
    with pytest.raises(DeadlineError):
        await backend.infer("narrow", _rounds(8000), timeout=0.3)
    assert await _executed(client, "narrow") == before, "the caller must not wait for the model"
    await _idle(backend, "narrow")


async def test_slow_what_waits_is_dropped_once_nobody_wants_it(
    backend: TritonBackend, client: InferenceServerClient
) -> None:
    before = await _executed(client, "narrow")
    running = asyncio.create_task(backend.infer("narrow", _rounds(4000), timeout=60))
    await asyncio.sleep(0.1)
    expired = asyncio.create_task(backend.infer("narrow", _rounds(1), timeout=0.2))
    cancelled = asyncio.create_task(backend.infer("narrow", _rounds(1), timeout=60))
    await asyncio.sleep(0.1)
    cancelled.cancel()
    with pytest.raises(DeadlineError):
        await expired
    with pytest.raises(asyncio.CancelledError):
        await cancelled
    assert not running.done(), "the test needs the model to be slower"
    await running
    await _idle(backend, "narrow")
    # The long one and the one that waited for it.
    assert await _executed(client, "narrow") == before + 2


async def test_full(backend: TritonBackend) -> None:
    tasks = [asyncio.create_task(backend.infer("narrow", _rounds(1000), timeout=60)) for _ in range(6)]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, ExhaustedError)]
    # One runs, two wait; the first may have been too quick.
    assert 2 <= len(refused) <= 4
    assert {error.reason for error in refused} == {"INFERENCE_QUEUE_FULL"}
    assert all(not isinstance(outcome, BaseException) or outcome in refused for outcome in outcomes)


async def test_full_for_longer_than_the_model_lets_wait(backend: TritonBackend) -> None:
    tasks = [asyncio.create_task(backend.infer("impatient", _rounds(3000), timeout=60)) for _ in range(3)]
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    refused = [outcome for outcome in outcomes if isinstance(outcome, ExhaustedError)]
    assert refused
    assert {error.reason for error in refused} == {"INFERENCE_QUEUE_TIMEOUT"}


async def test_a_model_is_unloaded_and_loaded_again(backend: TritonBackend, client: InferenceServerClient) -> None:
    await client.unload_model("lookup")
    async with asyncio.timeout(20):
        while await backend.ready("lookup"):  # noqa: ASYNC110 - Triton tells nobody when it is done
            await asyncio.sleep(0.05)
    question = {"index": np.array([[1]])}
    with pytest.raises(UnavailableError) as caught:
        await backend.infer("lookup", question, timeout=0.5)
    assert caught.value.reason == "MODEL_UNAVAILABLE"
    waiting = asyncio.create_task(backend.infer("lookup", question, timeout=30))
    await client.load_model("lookup")
    assert (await waiting).outputs["row"].tolist() == [[[2, 3]]]
    assert await backend.ready("lookup")


async def test_a_model_that_never_existed_is_told_at_once(backend: TritonBackend) -> None:
    start = time.monotonic()
    with pytest.raises(NotFoundError):
        await backend.infer("nothing", _X, timeout=30)
    assert time.monotonic() - start < 10


async def test_a_model_whose_process_dies(
    triton: TritonServer, backend: TritonBackend, client: InferenceServerClient
) -> None:
    stubs = [
        process
        for process in psutil.Process(triton.pid).children(recursive=True)
        if any("/lookup/" in argument for argument in process.cmdline())
    ]
    assert stubs
    for stub in stubs:
        stub.kill()
    question = {"index": np.array([[1]])}
    with pytest.raises(UnavailableError) as caught:
        await backend.infer("lookup", question, timeout=10)
    assert caught.value.reason == "MODEL_UNAVAILABLE"
    assert (await backend.infer("double", _X, timeout=10)).outputs["y"].tolist() == [[2, 2]], "others go on"
    await client.unload_model("lookup")
    await client.load_model("lookup")
    assert (await backend.infer("lookup", question, timeout=30)).outputs["row"].tolist() == [[[2, 3]]]


async def test_killed_and_started_again(own_server: TritonServer) -> None:
    backend = TritonBackend(own_server.grpc_url)
    assert (await backend.infer("double", _X, timeout=10)).outputs["y"].tolist() == [[2, 2]]
    in_flight = asyncio.create_task(backend.infer("narrow", _rounds(100_000), timeout=2))
    await asyncio.sleep(0.2)
    assert own_server.pid
    os.kill(own_server.pid, signal.SIGKILL)
    start = time.monotonic()
    with pytest.raises(UnavailableError) as caught:
        await in_flight
    assert caught.value.reason == "INFERENCE_UNAVAILABLE"
    with pytest.raises(UnavailableError):
        await backend.infer("double", _X, timeout=0.5)
    assert time.monotonic() - start < 5
    assert not await backend.ready("double")

    own_server.kill()  # its stubs and shared memory
    waiting = asyncio.create_task(backend.infer("double", _X, timeout=60))
    await asyncio.to_thread(own_server.start)
    assert (await waiting).outputs["y"].tolist() == [[2, 2]], "who had time to wait gets an answer"
    assert await backend.ready("double")
    await backend.close()


async def test_closing_answers_what_is_in_flight(triton: TritonServer) -> None:
    backend = TritonBackend(triton.grpc_url)
    in_flight = asyncio.create_task(backend.infer("narrow", _rounds(2000), timeout=60))
    await asyncio.sleep(0.1)
    await backend.close()
    with pytest.raises(UnavailableError):
        await in_flight
    with pytest.raises(UnavailableError):
        await backend.infer("double", _X, timeout=1)
