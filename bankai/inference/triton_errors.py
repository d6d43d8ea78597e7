"""What Triton's failures mean.

Triton has few status codes and says the rest in words; the words that matter are here, each met on a real server (see
tests/bankai/inference/test_triton_faults.py).
"""

from dataclasses import dataclass

from tritonclient.utils import InferenceServerException

from bankai.errors import (
    BankaiError,
    DeadlineError,
    ExhaustedError,
    FaultError,
    InvalidRequestError,
    UnavailableError,
)

_LASTING: dict[str, tuple[type[BankaiError], str, str]] = {
    "INVALID_ARGUMENT": (InvalidRequestError, "MODEL_INPUT_INVALID", "the model does not take these tensors"),
    "DEADLINE_EXCEEDED": (DeadlineError, "DEADLINE_EXCEEDED", "the deadline passed before the model answered"),
    "RESOURCE_EXHAUSTED": (InvalidRequestError, "MODEL_INPUT_INVALID", "the tensors are larger than a message may be"),
}
_FAULT = (FaultError, "INFERENCE_FAILED", "the model could not process the request")


@dataclass(frozen=True)
class Failure:
    """A failed try.

    Attributes:
        error: What the caller is told if this was the last try.
        passing: Whether another try may succeed.
        unknown_model: Whether Triton does not serve the model; it may never have existed.
    """

    error: BankaiError
    passing: bool = False
    unknown_model: bool = False


def classify(exception: InferenceServerException) -> Failure:
    """What a failure of tritonclient means to a caller.

    Args:
        exception: As tritonclient raised it.
    """
    code = (exception.status() or "").removeprefix("StatusCode.")
    words = exception.message() or ""
    if code == "UNAVAILABLE":
        return _unavailable(words)
    if code == "NOT_FOUND":
        return _unknown_model()
    if code == "INTERNAL" and "Stub process" in words:
        # The Python backend's process died; Triton still calls the model ready until it is loaded again.
        return Failure(UnavailableError("MODEL_UNAVAILABLE", "the model stopped working"))
    kind, reason, message = _LASTING.get(code, _FAULT)
    return Failure(kind(reason, message))


def _unavailable(words: str) -> Failure:
    if "maximum queue size" in words:
        return Failure(ExhaustedError("INFERENCE_QUEUE_FULL", "too many requests are waiting", retry_after=0.1))
    if "timeout expired" in words:
        return Failure(ExhaustedError("INFERENCE_QUEUE_TIMEOUT", "the request waited too long", retry_after=0.1))
    if "unknown model" in words:
        return _unknown_model()
    return Failure(
        UnavailableError("INFERENCE_UNAVAILABLE", "inference cannot be reached", retry_after=0.5), passing=True
    )


def _unknown_model() -> Failure:
    error = UnavailableError("MODEL_UNAVAILABLE", "the model is not loaded", retry_after=1.0)
    return Failure(error, passing=True, unknown_model=True)
