"""The words are what a real Triton 2.51 said; test_triton_faults.py makes it say most of them again."""

import pytest
from tritonclient.utils import InferenceServerException

from bankai.errors import (
    BankaiError,
    DeadlineError,
    ExhaustedError,
    FaultError,
    InvalidRequestError,
    UnavailableError,
)
from bankai.inference.triton_errors import classify

_QUEUE = "Exceeds maximum queue size"
_UNLOADED = "Request for unknown model: 'm' has no available versions"


@pytest.mark.parametrize(
    ("code", "words", "kind", "reason"),
    [
        ("UNAVAILABLE", _QUEUE, ExhaustedError, "INFERENCE_QUEUE_FULL"),
        ("UNAVAILABLE", "Request timeout expired", ExhaustedError, "INFERENCE_QUEUE_TIMEOUT"),
        ("UNAVAILABLE", _UNLOADED, UnavailableError, "MODEL_UNAVAILABLE"),
        ("UNAVAILABLE", "failed to connect to all addresses", UnavailableError, "INFERENCE_UNAVAILABLE"),
        ("NOT_FOUND", _UNLOADED, UnavailableError, "MODEL_UNAVAILABLE"),
        ("INTERNAL", "Stub process 'm_0' is not healthy.", UnavailableError, "MODEL_UNAVAILABLE"),
        ("INTERNAL", "[ONNXRuntimeError] : 2 : secret", FaultError, "INFERENCE_FAILED"),
        ("INVALID_ARGUMENT", "unexpected shape for input", InvalidRequestError, "MODEL_INPUT_INVALID"),
        ("RESOURCE_EXHAUSTED", "Sent message larger than max", InvalidRequestError, "MODEL_INPUT_INVALID"),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", DeadlineError, "DEADLINE_EXCEEDED"),
        ("UNKNOWN", "anything", FaultError, "INFERENCE_FAILED"),
        ("A_NEW_CODE", "anything", FaultError, "INFERENCE_FAILED"),
    ],
)
def test_every_failure_has_its_place_in_the_tree(code: str, words: str, kind: type[BankaiError], reason: str) -> None:
    error = classify(InferenceServerException(words, f"StatusCode.{code}")).error
    assert type(error) is kind
    assert error.reason == reason
    assert words not in error.message, "Triton's words name models and files"


def test_another_try_is_for_what_passes() -> None:
    passing = {
        ("UNAVAILABLE", "Socket closed"): True,
        ("UNAVAILABLE", _UNLOADED): True,
        ("NOT_FOUND", _UNLOADED): True,
        ("UNAVAILABLE", _QUEUE): False,
        ("INTERNAL", "Stub process 'm_0' is not healthy."): False,
        ("INVALID_ARGUMENT", ""): False,
    }
    for (code, words), expected in passing.items():
        failure = classify(InferenceServerException(words, f"StatusCode.{code}"))
        assert failure.passing == expected
        assert failure.unknown_model == (words == _UNLOADED)


def test_a_failure_without_a_status_is_ours() -> None:
    assert isinstance(classify(InferenceServerException("unexpected")).error, FaultError)
