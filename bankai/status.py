"""The one place where errors become google.rpc.Status and back."""

import contextlib
import math
from collections.abc import Iterable
from typing import Any, NoReturn

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import DecodeError, Message
from google.rpc import error_details_pb2, status_pb2

from bankai import errors

DOMAIN = "bankai"
DETAILS_KEY = "grpc-status-details-bin"

# A client takes 8 KiB of trailers, and text is carried twice: percent-encoded as the message and again in the details.
_MAX_MESSAGE_CHARS = 300
_MAX_DETAILS_BYTES = 3000

_CLASSES: dict[grpc.StatusCode, type[errors.BankaiError]] = {
    cls.code: cls for cls in errors.BankaiError.__subclasses__()
} | {
    grpc.StatusCode.ALREADY_EXISTS: errors.ConflictError,
    grpc.StatusCode.ABORTED: errors.ConflictError,
    grpc.StatusCode.OUT_OF_RANGE: errors.InvalidRequestError,
    grpc.StatusCode.CANCELLED: errors.UnavailableError,
}


def internal_error(request_id: str = "") -> errors.FaultError:
    """What a caller learns of an exception that nobody foresaw: nothing but the id to ask about."""
    return errors.FaultError("INTERNAL", f"internal error; request id {request_id}" if request_id else "internal error")


def to_status(error: errors.BankaiError, request_id: str = "") -> status_pb2.Status:
    """Describes an error as a google.rpc.Status.

    Args:
        error: What went wrong.
        request_id: Id of the call, sent along as RequestInfo.

    Returns:
        The status with ErrorInfo and, where they apply, RequestInfo, RetryInfo, BadRequest and QuotaFailure; as many
        violations as fit into a client's trailer limit.
    """
    status = status_pb2.Status(code=error.code.value[0], message=error.message[:_MAX_MESSAGE_CHARS])
    _pack(status, error_details_pb2.ErrorInfo(reason=error.reason, domain=DOMAIN))
    if request_id:
        _pack(status, error_details_pb2.RequestInfo(request_id=request_id))
    if error.retry_after is not None:
        delay = duration_pb2.Duration()
        # 2.043 s are 2043 ms, though their product is a little more.
        delay.FromMilliseconds(math.ceil(round(max(error.retry_after, 0.0) * 1000, 6)))
        _pack(status, error_details_pb2.RetryInfo(retry_delay=delay))
    bad_request = error_details_pb2.BadRequest()
    _pack_what_fits(
        status,
        bad_request,
        bad_request.field_violations,
        (
            bad_request.FieldViolation(field=each.field, description=each.description, reason=error.reason)
            for each in error.violations
        ),
    )
    quotas = error_details_pb2.QuotaFailure()
    _pack_what_fits(
        status,
        quotas,
        quotas.violations,
        (
            quotas.Violation(
                subject=each.subject,
                description=each.description,
                quota_metric=each.metric,
                quota_id=each.limit,
                quota_value=each.value,
            )
            for each in error.quotas
        ),
    )
    return status


async def abort(
    context: grpc.aio.ServicerContext[Any, Any], error: errors.BankaiError, request_id: str = ""
) -> NoReturn:
    """Ends a call with an error; trailing metadata that is already set goes along.

    Raises:
        grpc.aio.AbortError: Always.
    """
    status = to_status(error, request_id)
    trailers = tuple(item for item in context.trailing_metadata() or () if item[0] != DETAILS_KEY)
    await context.abort(error.code, status.message, (*trailers, (DETAILS_KEY, status.SerializeToString())))


def from_rpc_error(error: grpc.RpcError) -> errors.BankaiError:
    """Turns what a client caught, from grpc or grpc.aio, back into the error that the server raised.

    An error without our details, e.g. one that the connection made, gets the name of its status code as its reason.
    """
    code: grpc.StatusCode = error.code()
    return _error(code, error.details() or code.name, _details(error))


def from_status(status: status_pb2.Status) -> errors.BankaiError:
    """Turns a status that came inside of a message back into the error that it tells of."""
    code = next((each for each in grpc.StatusCode if each.value[0] == status.code), grpc.StatusCode.UNKNOWN)
    return _error(code, status.message or code.name, list(status.details))


def _error(code: grpc.StatusCode, message: str, details: list[any_pb2.Any]) -> errors.BankaiError:
    cls = _CLASSES.get(code, errors.FaultError)
    info = error_details_pb2.ErrorInfo()
    if not _unpack(details, info) or info.domain != DOMAIN:
        return cls(code.name, message)
    retry, bad_request = error_details_pb2.RetryInfo(), error_details_pb2.BadRequest()
    failure = error_details_pb2.QuotaFailure()
    retry_after = retry.retry_delay.ToMilliseconds() / 1000 if _unpack(details, retry) else None
    _unpack(details, bad_request)
    _unpack(details, failure)
    violations = [errors.FieldViolation(item.field, item.description) for item in bad_request.field_violations]
    quotas = [
        errors.QuotaViolation(item.subject, item.description, item.quota_metric, item.quota_id, item.quota_value)
        for item in failure.violations
    ]
    return cls(info.reason, message, violations=violations, quotas=quotas, retry_after=retry_after)


def _pack_what_fits(status: status_pb2.Status, detail: Message, violations: Any, entries: Iterable[Message]) -> None:
    """Packs a detail with as many entries of its list of violations as there is room for, if any."""
    room = _MAX_DETAILS_BYTES - status.ByteSize()
    for entry in entries:
        room -= entry.ByteSize()
        if room < 0:
            break
        violations.append(entry)
    if violations:
        _pack(status, detail)


def _pack(status: status_pb2.Status, detail: Message) -> None:
    status.details.add().Pack(detail)


def _details(error: grpc.RpcError) -> list[any_pb2.Any]:
    trailers: Iterable[Any] = error.trailing_metadata() or ()
    for key, value in trailers:
        if key == DETAILS_KEY:
            with contextlib.suppress(DecodeError):
                return list(status_pb2.Status.FromString(value).details)
    return []


def _unpack(details: list[any_pb2.Any], into: Message) -> bool:
    for detail in details:
        with contextlib.suppress(DecodeError):
            if detail.Unpack(into):  # which it does where the types agree
                return True
    return False
