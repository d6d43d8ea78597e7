"""A real Triton goes over to another version, and back, and stays where it was when it cannot."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from onnx import helper

from bankai.errors import UnavailableError
from bankai.inference.triton import TritonBackend
from bankai.inference.triton_server import TritonInstallation, TritonServer
from bankai.rollout.triton_control import TritonControl
from bankai.rollout.versions import place, point, stage
from tests.bankai.inference import models
from tests.bankai.inference.conftest import triton_installation

pytestmark = pytest.mark.slow
__all__ = ["triton_installation"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "models"
    models.double().write(root)
    point(root / "double", 1)
    return root


@pytest.fixture
def server(repository: Path, triton_installation: TritonInstallation, tmp_path: Path) -> Iterator[TritonServer]:
    with TritonServer(repository, log=tmp_path / "log.txt", installation=triton_installation) as running:
        yield running


def _put(repository: Path, version: int, content: bytes | None = None) -> None:
    """Places a version that answers 4x, or has a broken file."""
    candidate = repository.parent / f"candidate{version}"
    nodes = (helper.make_node("Add", ["x", "x"], ["z"]), helper.make_node("Add", ["z", "z"], ["y"]))
    models.double(nodes=nodes).write(candidate)
    if content is not None:
        (candidate / "double" / "1" / "model.onnx").write_bytes(content)
    place(stage(candidate / "double" / "1", repository / "double"), version)
    point(repository / "double", version)


async def test_a_swap_under_load_loses_no_request(server: TritonServer, repository: Path) -> None:
    control = TritonControl(server.grpc_url)
    backend = TritonBackend(server.grpc_url)
    answers: list[tuple[str, float]] = []
    stop = asyncio.Event()

    async def ask() -> None:
        while not stop.is_set():
            result = await backend.infer("double", {"x": np.array([[1, 2]], np.float32)}, timeout=30)
            first, second = result.outputs["y"][0].tolist()
            assert second == 2 * first
            answers.append((result.version, first))

    callers = [asyncio.create_task(ask()) for _ in range(8)]
    await asyncio.sleep(0.2)
    _put(repository, 2)
    await asyncio.to_thread(control.load, "double", 2)
    seen = len(answers)
    await asyncio.sleep(0.2)
    assert set(answers[seen + len(callers) :]) <= {("2", 4.0)}
    point(repository / "double", 1)
    await asyncio.to_thread(control.load, "double", 1)
    await asyncio.sleep(0.2)
    stop.set()
    await asyncio.gather(*callers)  # raises what any caller was told
    assert set(answers) == {("1", 2.0), ("2", 4.0)}
    # What was asked before a swap may be answered after it; what is asked now is not.
    assert (await backend.infer("double", {"x": np.array([[1, 2]], np.float32)}, timeout=30)).version == "1"
    await backend.close()


async def test_a_version_that_does_not_load_leaves_the_old_one(server: TritonServer, repository: Path) -> None:
    _put(repository, 2, b"no model")
    with pytest.raises(UnavailableError) as caught:
        await asyncio.to_thread(TritonControl(server.grpc_url).load, "double", 2)
    assert caught.value.reason == "TRITON_LOAD_FAILED"
    backend = TritonBackend(server.grpc_url)
    assert (await backend.infer("double", {"x": np.ones((1, 1), np.float32)}, timeout=30)).version == "1"
    await backend.close()


def test_no_triton(repository: Path) -> None:
    with pytest.raises(UnavailableError) as caught:
        TritonControl("127.0.0.1:1").load("double", 1)
    assert caught.value.reason == "TRITON_LOAD_FAILED"


def test_a_triton_with_another_repository(server: TritonServer) -> None:
    with pytest.raises(UnavailableError, match="same model repository"):
        TritonControl(server.grpc_url).load("double", 2)
