import asyncio
from typing import Any

import numpy as np
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bankai import answered_by
from bankai.errors import UnavailableError
from bankai.inference.backend import InferenceBackend, InferenceResult, Tensors
from bankai.inference.observed import ObservedBackend


class Echo(InferenceBackend):
    """Answers its inputs; the model "broken" fails."""

    closed = False

    async def infer(self, model: str, inputs: Tensors, *, timeout: float) -> InferenceResult:  # noqa: ASYNC109  # the protocol's
        await asyncio.sleep(0)
        if model == "broken":
            raise UnavailableError("MODEL_UNAVAILABLE", "张三 13800138000")
        return InferenceResult(outputs=dict(inputs), version="3")

    async def ready(self, model: str) -> bool:
        return model == "intent"

    async def close(self) -> None:
        self.closed = True


INPUTS = {"x": np.zeros((1, 2), np.float32)}


async def test_a_call_hears_which_models_answered_it_in_whatever_task() -> None:
    backend = ObservedBackend(Echo())
    models = answered_by.listen()
    await asyncio.gather(*(backend.infer(name, INPUTS, timeout=1) for name in ("intent", "doc_roles", "intent")))
    with pytest.raises(UnavailableError):
        await backend.infer("broken", INPUTS, timeout=1)
    assert models == {"intent/3", "doc_roles/3"}


async def test_calls_do_not_hear_of_each_other() -> None:
    backend = ObservedBackend(Echo())

    async def call(model: str) -> set[str]:
        models = answered_by.listen()
        await backend.infer(model, INPUTS, timeout=1)
        return models

    assert list(await asyncio.gather(call("a"), call("b"))) == [{"a/3"}, {"b/3"}]


async def test_work_without_a_call_is_noted_nowhere() -> None:
    async def work() -> Any:
        return await ObservedBackend(Echo()).infer("intent", INPUTS, timeout=1)

    assert (await asyncio.create_task(work())).outputs["x"] is INPUTS["x"]


async def test_all_else_goes_through() -> None:
    echo = Echo()
    backend = ObservedBackend(echo)
    assert await backend.ready("intent")
    assert not await backend.ready("else")
    await backend.close()
    assert echo.closed


async def test_a_span_names_the_model_and_nothing_of_the_input(monkeypatch: pytest.MonkeyPatch) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("opentelemetry.trace.get_tracer", provider.get_tracer)
    backend = ObservedBackend(Echo())
    await backend.infer("intent", INPUTS, timeout=1)
    assert not exporter.get_finished_spans()  # no call is recorded
    with trace.get_tracer("test").start_as_current_span("call"):
        await backend.infer("intent", INPUTS, timeout=1)
        with pytest.raises(UnavailableError):
            await backend.infer("broken", INPUTS, timeout=1)
    good, broken, call = exporter.get_finished_spans()
    assert good.name == "infer intent"
    assert good.parent is not None
    assert call.context is not None
    assert good.parent.span_id == call.context.span_id
    assert good.attributes == {"bankai.model": "intent", "bankai.model_version": "3"}
    assert "13800138000" not in broken.to_json()
