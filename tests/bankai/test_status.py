from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from bankai import errors, status

ERRORS = errors.BankaiError.__subclasses__()


def as_rpc_error(sent: status_pb2.Status, code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    trailers = grpc.aio.Metadata(("other", "x"), (status.DETAILS_KEY, sent.SerializeToString()))
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailers, sent.message)


@given(
    cls=st.sampled_from(ERRORS),
    reason=st.from_regex(r"[A-Z][A-Z_]{0,40}", fullmatch=True),
    message=st.text(max_size=300),
    violations=st.lists(st.tuples(st.text(max_size=20), st.text(max_size=40)), max_size=5),
    quotas=st.lists(
        st.builds(
            errors.QuotaViolation,
            *(st.text(max_size=20) for _ in range(4)),
            st.integers(-(2**63), 2**63 - 1),
        ),
        max_size=5,
    ),
    retry_ms=st.none() | st.integers(0, 10**6),
)
def test_an_error_survives_the_wire(
    *,
    cls: Any,
    reason: str,
    message: str,
    violations: list[tuple[str, str]],
    quotas: list[errors.QuotaViolation],
    retry_ms: int | None,
) -> None:
    sent = cls(
        reason,
        message,
        violations=[errors.FieldViolation(*violation) for violation in violations],
        quotas=quotas,
        retry_after=None if retry_ms is None else retry_ms / 1000,
    )
    received = status.from_rpc_error(as_rpc_error(status.to_status(sent), sent.code))
    assert type(received) is cls
    assert (received.reason, received.message) == (reason, message or sent.code.name)
    assert received.violations == sent.violations
    assert received.quotas == sent.quotas
    assert received.retry_after == sent.retry_after


def test_details_stay_within_what_clients_take() -> None:
    violations = [errors.FieldViolation(f"context[{index}]", "太长" * 200) for index in range(1000)]
    sent = status.to_status(errors.InvalidRequestError("CONTEXT_TOO_LONG", "长" * 5000, violations=violations), "id")
    assert len(sent.SerializeToString()) < 4096
    received = status.from_rpc_error(as_rpc_error(sent, grpc.StatusCode.INVALID_ARGUMENT))
    assert received.violations == tuple(violations[: len(received.violations)])
    assert received.violations


def test_a_reached_limit_is_told_as_a_quota_failure() -> None:
    reached = errors.QuotaViolation("channel:ivr", "at most 5 calls a second", "calls", "calls_per_s", 5)
    sent = status.to_status(errors.ExhaustedError("RATE_LIMITED", "too fast", quotas=[reached]))
    failure = error_details_pb2.QuotaFailure()
    assert any(detail.Unpack(failure) for detail in sent.details)
    (violation,) = failure.violations
    assert (violation.subject, violation.quota_metric, violation.quota_id, violation.quota_value) == (
        "channel:ivr",
        "calls",
        "calls_per_s",
        5,
    )


def test_quotas_stay_within_what_clients_take() -> None:
    reached = [errors.QuotaViolation(f"channel:{number}", "太多" * 200) for number in range(1000)]
    sent = status.to_status(errors.ExhaustedError("RATE_LIMITED", "too fast", quotas=reached))
    assert len(sent.SerializeToString()) < 4096
    received = status.from_rpc_error(as_rpc_error(sent, grpc.StatusCode.RESOURCE_EXHAUSTED)).quotas
    assert received == tuple(reached[: len(received)])
    assert received


def test_the_request_id_goes_along() -> None:
    sent = status.to_status(errors.FaultError("X", "x"), "abc")
    info = error_details_pb2.RequestInfo()
    assert any(detail.Unpack(info) for detail in sent.details)
    assert info.request_id == "abc"


@pytest.mark.parametrize("code", [code for code in grpc.StatusCode if code is not grpc.StatusCode.OK])
def test_an_error_without_details_takes_its_codes_name(code: grpc.StatusCode) -> None:
    error = status.from_rpc_error(grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), "text"))
    assert (error.reason, error.message) == (code.name, "text")


@pytest.mark.parametrize("details", [b"\xff\xff", b""])
def test_broken_details_are_passed_over(details: bytes) -> None:
    trailers = grpc.aio.Metadata((status.DETAILS_KEY, details))
    error = status.from_rpc_error(grpc.aio.AioRpcError(grpc.StatusCode.NOT_FOUND, grpc.aio.Metadata(), trailers, None))
    assert isinstance(error, errors.NotFoundError)
    assert (error.reason, error.message) == ("NOT_FOUND", "NOT_FOUND")


def test_the_reasons_of_others_are_not_ours() -> None:
    sent = status_pb2.Status(code=5, message="gone")
    sent.details.add().Pack(error_details_pb2.ErrorInfo(reason="THEIRS", domain="example.com"))
    assert status.from_rpc_error(as_rpc_error(sent, grpc.StatusCode.NOT_FOUND)).reason == "NOT_FOUND"
