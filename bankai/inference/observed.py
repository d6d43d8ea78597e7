"""Tells the call that asked which models answered it, and records a span for each request to one."""

from opentelemetry import trace
from opentelemetry.trace import SpanKind

from bankai import answered_by
from bankai.inference.backend import InferenceBackend, InferenceResult, Tensors


class ObservedBackend(InferenceBackend):
    """Another backend, observed.

    Args:
        backend: The one that does the work.
    """

    def __init__(self, backend: InferenceBackend) -> None:
        self.observed = backend
        """The one that does the work."""
        self._tracer = trace.get_tracer("bankai.inference")

    async def infer(self, model: str, inputs: Tensors, *, timeout: float) -> InferenceResult:  # noqa: ASYNC109  # the protocol's
        """As the protocol says."""
        if not trace.get_current_span().is_recording():
            return self._noted(model, await self.observed.infer(model, inputs, timeout=timeout))
        with self._tracer.start_as_current_span(
            f"infer {model}",
            kind=SpanKind.CLIENT,
            attributes={"bankai.model": model},
            record_exception=False,  # its text may be a customer's
            set_status_on_exception=False,
        ) as span:
            result = await self.observed.infer(model, inputs, timeout=timeout)
            span.set_attribute("bankai.model_version", result.version)
            return self._noted(model, result)

    async def ready(self, model: str) -> bool:
        """As the protocol says."""
        return await self.observed.ready(model)

    async def close(self) -> None:
        """As the protocol says."""
        await self.observed.close()

    def _noted(self, model: str, result: InferenceResult) -> InferenceResult:
        answered_by.note(model, result.version)
        return result
