import asyncio
import gc
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import structlog
from onnx import helper
from prometheus_client import REGISTRY

from bankai.errors import DeadlineError, FaultError, InvalidRequestError, NotFoundError, UnavailableError
from bankai.inference import open_backend
from bankai.inference.backend import InferenceResult
from bankai.inference.observed import ObservedBackend
from bankai.inference.onnx import OnnxBackend
from bankai.inference.repository import ModelRepository
from bankai.settings import InferenceSettings
from tests.bankai.inference import models


@pytest.fixture
async def backend(repository: Path) -> AsyncIterator[OnnxBackend]:
    opened = OnnxBackend(ModelRepository(repository))
    yield opened
    await opened.close()


def _x(*values: float) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    return {"x": np.array([values], np.float32)}


async def test_the_factory_opens_it(repository: Path) -> None:
    backend = open_backend(InferenceSettings(backend="onnx", models_dir=repository))
    assert isinstance(backend, ObservedBackend)
    assert isinstance(backend.observed, OnnxBackend)
    assert await backend.ready("double")
    await backend.close()


async def test_answers_with_outputs_and_version(backend: OnnxBackend) -> None:
    result = await backend.infer("double", _x(1, 2), timeout=5)
    assert result.outputs["y"].tolist() == [[2, 4]]
    assert result.version == "3"
    assert (await backend.infer("pinned", _x(1), timeout=5)).version == "1"


async def test_many_at_once_each_get_their_own_answer(backend: OnnxBackend) -> None:
    results = await asyncio.gather(
        *(backend.infer("double", _x(*[number] * (1 + number % 3)), timeout=20) for number in range(200))
    )
    for number, result in enumerate(results):
        assert result.outputs["y"].tolist() == [[2 * number] * (1 + number % 3)]


async def test_a_run_that_fails_harms_no_mate(backend: OnnxBackend) -> None:
    questions = [np.array([[number % 13]]) for number in range(40)]
    results = await asyncio.gather(
        *(backend.infer("lookup", {"index": question}, timeout=20) for question in questions), return_exceptions=True
    )
    for number, result in enumerate(results):
        if number % 13 >= len(models.TABLE):
            assert isinstance(result, FaultError)
            assert "Gather" not in result.message, "what happens inside is nobody's business"
        else:
            assert not isinstance(result, BaseException)
            assert result.outputs["row"].tolist() == [[models.TABLE[number % 13].tolist()]]


async def test_ready_means_loadable(backend: OnnxBackend, tmp_path: Path) -> None:
    assert await backend.ready("double")
    assert not await backend.ready("nothing")
    await backend.close()
    assert not await backend.ready("double")


async def test_what_is_asked_wrongly(backend: OnnxBackend) -> None:
    with pytest.raises(NotFoundError) as caught:
        await backend.infer("nothing", _x(1), timeout=5)
    assert "nothing" not in caught.value.message
    with pytest.raises(InvalidRequestError):
        await backend.infer("double", {"z": np.zeros((1, 1), np.float32)}, timeout=5)


async def test_a_deadline_may_pass_while_the_model_is_loaded(backend: OnnxBackend) -> None:
    with pytest.raises(DeadlineError):
        await backend.infer("double", _x(1), timeout=1e-6)
    assert (await backend.infer("double", _x(1), timeout=5)).outputs["y"].tolist() == [[2]]


async def test_outcomes_are_counted(repository: Path) -> None:
    def counted(outcome: str) -> float:
        labels = {"model": "flat", "outcome": outcome}
        return REGISTRY.get_sample_value("bankai_inference_requests_total", labels) or 0

    backend = OnnxBackend(ModelRepository(repository))
    outcomes = ("ok", "CANCELLED", "MODEL_INPUT_INVALID")
    before = [counted(outcome) for outcome in outcomes]
    await backend.infer("flat", {"x": np.ones(2, np.float32)}, timeout=5)
    given_up = asyncio.create_task(backend.infer("flat", {"x": np.ones(2, np.float32)}, timeout=5))
    await asyncio.sleep(0)
    given_up.cancel()
    await asyncio.wait({given_up})
    with pytest.raises(InvalidRequestError):
        await backend.infer("flat", {}, timeout=5)
    await backend.close()
    assert [counted(outcome) for outcome in outcomes] == [value + 1 for value in before]


async def test_closing_while_a_model_is_loaded(repository: Path) -> None:
    backend = OnnxBackend(ModelRepository(repository))
    loading = asyncio.create_task(backend.infer("double", _x(1), timeout=5))
    await asyncio.sleep(0)
    await backend.close()
    [outcome] = await asyncio.wait_for(asyncio.gather(loading, return_exceptions=True), 5)
    assert isinstance(outcome, InferenceResult | UnavailableError)
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("inference-")]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('name: "x"', 'name: "z"'), "has input 'z', which the file does not have"),
        (('name: "y"', 'name: "z"'), "has output 'z', which the file does not have"),
        (("max_batch_size", "most"), "no field named"),
        (("dims: [-1]", "dims: [-1, -1]"), "gives input 'x' 3 axes with the batch, the file 2"),
        (("TYPE_FP32", "TYPE_INT64"), "says that input 'x' is int64, the file says float"),
    ],
)
async def test_a_configuration_that_does_not_fit_the_file(
    tmp_path: Path, change: tuple[str, str], problem: str
) -> None:
    models.double().write(tmp_path)
    config = tmp_path / "double" / "config.pbtxt"
    config.write_text(config.read_text().replace(*change))
    await _is_unavailable(tmp_path, problem)


@pytest.mark.parametrize("content", [b"", b"no model", b"\x08"])
async def test_a_broken_model_file(tmp_path: Path, content: bytes) -> None:
    models.double().write(tmp_path)
    (tmp_path / "double" / "1" / "model.onnx").write_bytes(content)
    await _is_unavailable(tmp_path, "'double' cannot be loaded")


async def test_an_input_that_the_configuration_leaves_out(tmp_path: Path) -> None:
    join = helper.make_node("Add", ["x", "z"], ["y"])
    both = (models.Port("x", "FP32", (-1,)), models.Port("z", "FP32", (-1,)))
    models.double(nodes=(join,), inputs=both).write(tmp_path)
    (tmp_path / "double" / "config.pbtxt").write_text(models.double().config())
    await _is_unavailable(tmp_path, "lacks input 'z'")


async def _is_unavailable(repository: Path, problem: str) -> None:
    """The caller learns that the model is unavailable, the operator why, and nobody a path."""
    backend = OnnxBackend(ModelRepository(repository))
    with structlog.testing.capture_logs() as logs:
        with pytest.raises(UnavailableError) as caught:
            await backend.infer("double", _x(1), timeout=5)
        assert not await backend.ready("double")
    assert caught.value.reason == "MODEL_UNAVAILABLE"
    assert "double" not in caught.value.message
    assert problem in logs[0]["problem"]
    assert str(repository) not in str(logs)
    await backend.close()


async def test_a_load_that_fails_after_everybody_left_is_not_reported_by_the_loop(tmp_path: Path) -> None:
    backend = OnnxBackend(ModelRepository(tmp_path / "nowhere"))
    with pytest.raises(DeadlineError):
        await backend.infer("double", _x(1), timeout=1e-6)
    await backend.close()
    gc.collect()  # an exception that nobody saw would be reported now, and be an error here
