"""Both backends serve one repository: what the one answers, the other does."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tritonclient.grpc.aio import InferenceServerClient

from bankai.errors import BankaiError, FaultError
from bankai.inference import open_backend
from bankai.inference.backend import InferenceBackend, InferenceResult, Tensors
from bankai.inference.observed import ObservedBackend
from bankai.inference.onnx import OnnxBackend
from bankai.inference.repository import ModelRepository
from bankai.inference.triton import TritonBackend
from bankai.inference.triton_server import TritonServer
from bankai.settings import InferenceSettings
from tests.bankai.inference import models

pytestmark = pytest.mark.slow

Question = tuple[str, dict[str, NDArray[Any]]]


@pytest.fixture
async def remote(triton: TritonServer) -> AsyncIterator[TritonBackend]:
    backend = TritonBackend(triton.grpc_url)
    yield backend
    await backend.close()


@pytest.fixture
async def embedded(repository: Path) -> AsyncIterator[OnnxBackend]:
    backend = OnnxBackend(ModelRepository(repository))
    yield backend
    await backend.close()


async def _ask(backend: InferenceBackend, model: str, inputs: Tensors) -> InferenceResult | tuple[type, str]:
    try:
        return await backend.infer(model, inputs, timeout=30)
    except BankaiError as error:
        return type(error), error.reason


def _assert_same(one: InferenceResult | tuple[type, str], other: InferenceResult | tuple[type, str]) -> None:
    if isinstance(one, tuple) or isinstance(other, tuple):
        assert one == other
        return
    assert one.version == other.version
    assert list(one.outputs) == list(other.outputs)
    for name, tensor in one.outputs.items():
        assert tensor.dtype == other.outputs[name].dtype
        np.testing.assert_array_equal(tensor, other.outputs[name])


async def test_the_factory_opens_it(triton: TritonServer) -> None:
    backend = open_backend(InferenceSettings(backend="triton", triton_url=triton.grpc_url))
    assert isinstance(backend, ObservedBackend)
    assert isinstance(backend.observed, TritonBackend)
    assert await backend.ready("double")
    assert not await backend.ready("nothing")
    await backend.close()
    assert not await backend.ready("double")


@pytest.mark.parametrize(
    ("model", "inputs"),
    [
        ("double", {"x": np.array([[1, 2, 3]], np.float32)}),
        ("double", {"x": np.zeros((8, 4), np.float32)}),
        ("double", {"x": np.asfortranarray(np.arange(12, dtype=np.float32).reshape(3, 4))}),
        ("pinned", {"x": np.ones((2, 2), np.float32)}),
        ("flat", {"x": np.ones(5, np.float32)}),
        ("lookup", {"index": np.array([[1, 2], [3, 4]])}),
        # And what they refuse, they refuse alike.
        ("lookup", {"index": np.array([[1, 20]])}),
        ("nothing", {"x": np.ones((1, 1), np.float32)}),
        ("double", {}),
        ("double", {"z": np.ones((1, 1), np.float32)}),
        ("double", {"x": np.ones((1, 1), np.float32), "z": np.ones((1, 1), np.float32)}),
        ("double", {"x": np.ones((1, 1), np.int64)}),
        ("double", {"x": np.ones((1, 1), np.complex64)}),
        ("double", {"x": np.ones((9, 1), np.float32)}),
        ("double", {"x": np.ones((0, 1), np.float32)}),
        ("double", {"x": np.ones(1, np.float32)}),
        ("double", {"x": np.ones((), np.float32)}),
        ("flat", {"x": np.ones((1, 5), np.float32)}),
    ],
)
async def test_both_backends_say_the_same(
    remote: TritonBackend, embedded: OnnxBackend, model: str, inputs: Tensors
) -> None:
    _assert_same(await _ask(remote, model, inputs), await _ask(embedded, model, inputs))


async def test_a_bad_request_harms_no_batch_mate_on_triton(remote: TritonBackend, triton: TritonServer) -> None:
    async def counts() -> tuple[int, int]:
        async with InferenceServerClient(triton.grpc_url) as client:
            statistics = (await client.get_inference_statistics("lookup")).model_stats[0]
            return statistics.inference_count, statistics.execution_count

    before = await counts()
    questions = [{"index": np.array([[99 if number % 16 == 7 else number % 10]])} for number in range(64)]
    answers = await asyncio.gather(*(_ask(remote, "lookup", question) for question in questions))
    for number, answer in enumerate(answers):
        if number % 16 == 7:
            assert answer == (FaultError, "INFERENCE_FAILED")
        else:
            assert isinstance(answer, InferenceResult)
            assert answer.outputs["row"].tolist() == [[models.TABLE[number % 10].tolist()]]
    requests, runs = (after - start for after, start in zip(await counts(), before, strict=True))
    assert runs < requests, "Triton must have batched for this to mean anything"


_QUESTIONS = st.lists(
    st.one_of(
        st.builds(
            lambda rows, length, start: (
                "double",
                {"x": start + np.arange(rows * length, dtype=np.float32).reshape(rows, length)},
            ),
            st.integers(1, 8),
            st.integers(1, 3),
            st.integers(0, 1000),
        ),
        # One in a few points beyond the table and fails.
        st.builds(
            lambda indices: ("lookup", {"index": np.array([indices])}),
            st.lists(st.integers(0, 11), min_size=2, max_size=3),
        ),
    ),
    min_size=1,
    max_size=30,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(questions=_QUESTIONS)
def test_both_answer_each_of_many_at_once_alike(
    triton: TritonServer, repository: Path, questions: list[Question]
) -> None:
    async def answers(backend: InferenceBackend) -> list[InferenceResult | tuple[type, str]]:
        try:
            return await asyncio.gather(*(_ask(backend, *question) for question in questions))
        finally:
            await backend.close()

    async def scenario() -> None:
        local = await answers(OnnxBackend(ModelRepository(repository)))
        far = await answers(TritonBackend(triton.grpc_url))
        for one, other in zip(local, far, strict=True):
            _assert_same(one, other)

    asyncio.run(scenario())
