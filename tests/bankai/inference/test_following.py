"""A running process goes over to another version of a model without losing a request."""

import asyncio
import gc
import shutil
import threading
import time
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import structlog
from onnx import helper
from prometheus_client import REGISTRY

from bankai.errors import BankaiError
from bankai.inference import onnx as embedded
from bankai.inference.onnx import OnnxBackend
from bankai.inference.repository import ModelRepository
from tests.bankai.inference import models

PATIENCE_S = 20.0


def _pin(repository: Path, version: int) -> None:
    """Names the version to serve, at once as `bankai models promote` does."""
    config = models.double(settings=f"version_policy {{ specific {{ versions: [{version}] }} }}").config()
    (repository / "double" / "new").write_text(config + "\ndynamic_batching { }")
    (repository / "double" / "new").replace(repository / "double" / "config.pbtxt")


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """Version 1 answers 2x and is served, version 2 answers 4x."""
    models.double().write(tmp_path)
    nodes = (helper.make_node("Add", ["x", "x"], ["z"]), helper.make_node("Add", ["z", "z"], ["y"]))
    models.double(nodes=nodes).write(tmp_path, 2)
    _pin(tmp_path, 1)
    return tmp_path


@pytest.fixture
async def backend(two: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[OnnxBackend]:
    monkeypatch.setattr(embedded, "LOOK_EVERY_S", 0.02)
    opened = OnnxBackend(ModelRepository(two))
    yield opened
    await opened.close()


async def _ask(backend: OnnxBackend, *values: float) -> tuple[str, float]:
    """Version, and by how much it multiplied; every value of an answer must be of the same version."""
    result = await backend.infer("double", {"x": np.array([values], np.float32)}, timeout=PATIENCE_S)
    factors = set((result.outputs["y"][0] / values).tolist())
    assert len(factors) == 1
    return result.version, factors.pop()


async def _until(backend: OnnxBackend, done: Callable[[tuple[str, float]], bool]) -> tuple[str, float]:
    deadline = time.monotonic() + PATIENCE_S
    while not done(answer := await _ask(backend, 1)):
        assert time.monotonic() < deadline, "nothing changed"
        await asyncio.sleep(0.01)
    return answer


async def test_no_request_is_lost_or_answered_by_both(backend: OnnxBackend, two: Path) -> None:
    answers: list[tuple[str, float]] = []
    stop = asyncio.Event()

    async def ask() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            answers.append(await _ask(backend, *[1.0 + number % 7] * (1 + number % 3)))

    callers = [asyncio.create_task(ask()) for _ in range(24)]
    for version in ("2", "1", "2"):
        _pin(two, int(version))
        await _until(backend, lambda answer, wanted=version: answer[0] == wanted)  # type: ignore[misc]  # a default
    seen = len(answers)
    await asyncio.sleep(0.05)
    stop.set()
    await asyncio.gather(*callers)  # raises what any caller was told
    assert set(answers) == {("1", 2.0), ("2", 4.0)}
    # What ran when the version changed is answered by now, so that all later answers are the new version's.
    assert set(answers[seen + len(callers) :]) == {("2", 4.0)}


async def test_the_old_version_is_released(backend: OnnxBackend, two: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[weakref.ref[onnxruntime.InferenceSession]] = []
    make = onnxruntime.InferenceSession

    class Noted(make):  # type: ignore[misc, valid-type]
        def __init__(self, *args: object, **options: object) -> None:
            super().__init__(*args, **options)
            opened.append(weakref.ref(self))

    monkeypatch.setattr(onnxruntime, "InferenceSession", Noted)
    await _ask(backend, 1)
    before = _threads()
    _pin(two, 2)
    await _until(backend, lambda answer: answer[0] == "2")
    deadline = time.monotonic() + PATIENCE_S
    while opened[0]() is not None or _threads() > before:
        assert time.monotonic() < deadline, "the old version is still held"
        await asyncio.sleep(0.02)
        gc.collect()
    assert opened[1]() is not None
    assert REGISTRY.get_sample_value("bankai_inference_model_version", {"model": "double"}) == 2


async def test_a_broken_version_is_refused_once_and_the_old_one_stays(backend: OnnxBackend, two: Path) -> None:
    (two / "double" / "2" / "model.onnx").write_bytes(b"no model")
    with structlog.testing.capture_logs() as logs:
        await _ask(backend, 1)
        _pin(two, 2)
        for _ in range(20):
            assert await _ask(backend, 1) == ("1", 2.0)
            assert await backend.ready("double")
            await asyncio.sleep(0.02)
    [refused] = logs
    assert (refused["event"], refused["reason"]) == ("model_version_refused", "MODEL_FILE_INVALID")
    assert str(two) not in str(logs)
    # Mended, it takes over.
    shutil.copy(two / "double" / "1" / "model.onnx", two / "double" / "2" / "model.onnx")
    assert await _until(backend, lambda answer: answer[0] == "2") == ("2", 2.0)


@pytest.mark.parametrize("damage", ["config", "versions", "folder"])
async def test_a_damaged_repository_changes_nothing(backend: OnnxBackend, two: Path, damage: str) -> None:
    await _ask(backend, 1)
    if damage == "config":
        (two / "double" / "config.pbtxt").write_text("no configuration")
    elif damage == "folder":
        shutil.rmtree(two)
    else:
        _pin(two, 3)
    with structlog.testing.capture_logs() as logs:
        for _ in range(10):
            assert await _ask(backend, 1) == ("1", 2.0)
            await asyncio.sleep(0.02)
    assert len(logs) == 1


@pytest.mark.parametrize(
    ("file", "old", "new", "follows"),
    [
        ("tokenizer.json", "{}", '{"a": 1}', False),
        ("tokenizer.json", "{}", None, False),
        ("labels.json", '{"a": [1], "holds_at": 0.4}', '{"holds_at": 0.5, "a": [1]}', True),
        ("labels.json", '{"a": [1], "holds_at": 0.4}', '{"a": [2], "holds_at": 0.4}', False),
        ("labels.json", "[1, 2]", "[2, 1]", False),
        ("labels.json", "broken", "broken too", False),
        ("reference.json", "{}", '{"a": 1}', True),
        ("model.onnx.data", "a", "b", True),
    ],
)
async def test_what_a_process_has_read_at_its_start_must_stay(
    backend: OnnxBackend, two: Path, *, file: str, old: str, new: str | None, follows: bool
) -> None:
    (two / "double" / "1" / file).write_text(old)
    if new is not None:
        (two / "double" / "2" / file).write_text(new)
    await _ask(backend, 1)
    _pin(two, 2)
    if follows:
        await _until(backend, lambda answer: answer[0] == "2")
        return
    with structlog.testing.capture_logs() as logs:
        for _ in range(10):
            assert (await _ask(backend, 1))[0] == "1"
            await asyncio.sleep(0.02)
    assert [entry["reason"] for entry in logs] == ["MODEL_RESTART_NEEDED"]
    assert file in logs[0]["problem"]
    # Made equal in place, it takes over.
    (two / "double" / "2" / file).write_text(old)
    await _until(backend, lambda answer: answer[0] == "2")


async def test_closing_while_one_version_takes_over(backend: OnnxBackend, two: Path) -> None:
    await _ask(backend, 1)
    _pin(two, 2)
    await asyncio.sleep(0.03)
    asked = [asyncio.create_task(_ask(backend, 1)) for _ in range(50)]
    await asyncio.sleep(0)
    await asyncio.wait_for(backend.close(), PATIENCE_S)
    for outcome in await asyncio.gather(*asked, return_exceptions=True):
        assert isinstance(outcome, tuple | BankaiError)
    assert _threads() == 0


def _threads() -> int:
    return sum(thread.name.startswith("inference-double") for thread in threading.enumerate())
