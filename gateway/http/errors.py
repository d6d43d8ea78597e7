"""Errors as Google's JSON APIs tell them: {"error": {"code": 404, "status": "NOT_FOUND", "message", "details"}}."""

import base64
import contextlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
import structlog
from google.protobuf import descriptor_pool, json_format
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2
from multidict import CIMultiDict

from bankai import status
from bankai.errors import BankaiError, FaultError
from gateway import failures
from gateway.http.headers import from_trailers

log = structlog.get_logger(__name__)

# As google/rpc/code.proto maps them.
HTTP_STATUS: Mapping[grpc.StatusCode, int] = {
    grpc.StatusCode.OK: 200,
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.UNKNOWN: 500,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.UNAUTHENTICATED: 401,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.INTERNAL: 500,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.DATA_LOSS: 500,
}
# What HTTP itself has a status for.
_OWN_STATUS = {
    "BODY_TOO_LARGE": 413,
    "BODY_TOO_SLOW": 408,
    "CONTENT_TYPE_UNSUPPORTED": 415,
    "HTTP_METHOD_NOT_ALLOWED": 405,
}


@dataclass(frozen=True)
class Failure:
    """A call that failed, as the client is told.

    Attributes:
        code: HTTP status.
        status: What went wrong.
        headers: Headers that tell of it.
    """

    code: int
    status: status_pb2.Status
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)

    def json(self, pool: DescriptorPool | None = None) -> str:
        """The body of the answer.

        Args:
            pool: Where types of details are found beside the well-known ones.
        """
        told: dict[str, Any] = {
            "code": self.code,
            "status": _name(self.status.code),
            "message": self.status.message,
            "details": [_detail(each, pool) for each in self.status.details],
        }
        return json.dumps({"error": told}, ensure_ascii=False)


def failure(raised: Exception, identity: str) -> Failure:
    """What the client is told of an exception; logs what is our fault.

    Args:
        raised: What ended the request: the call's end, an error of the HTTP port's own, or one that nobody foresaw.
        identity: Id of the request.
    """
    if isinstance(raised, grpc.aio.AioRpcError):
        return _of_the_call(raised, identity)
    error = raised if isinstance(raised, BankaiError) else status.internal_error(identity)
    if isinstance(error, FaultError):
        log.error("request failed", reason=error.reason, request_id=identity, exc_info=raised)
    else:
        log.info("request refused", reason=error.reason, request_id=identity)
    return _of_the_gateway(error, identity)


def _of_the_gateway(error: BankaiError, identity: str) -> Failure:
    code = _OWN_STATUS.get(error.reason, HTTP_STATUS[error.code])
    return _failure(code, status.to_status(error, identity), CIMultiDict())


def _of_the_call(error: grpc.aio.AioRpcError, identity: str) -> Failure:
    """The failure for a call that ended with an error: status, details and headers as it gave them."""
    own = failures.of_the_way(error)
    if own is not None:
        return _of_the_gateway(own, identity)
    told = status_pb2.Status(code=error.code().value[0], message=error.details() or "")
    trailers = tuple(error.trailing_metadata())
    for key, value in trailers:
        if key == status.DETAILS_KEY and isinstance(value, bytes):
            with contextlib.suppress(DecodeError):
                told.details.extend(status_pb2.Status.FromString(value).details)
    return _failure(HTTP_STATUS[error.code()], told, from_trailers(trailers))


def _failure(code: int, told: status_pb2.Status, headers: CIMultiDict[str]) -> Failure:
    retry = error_details_pb2.RetryInfo()
    for detail in told.details:
        with contextlib.suppress(DecodeError):
            if detail.Unpack(retry):
                headers["Retry-After"] = str(max(math.ceil(retry.retry_delay.ToMilliseconds() / 1000), 0))
    if code == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return Failure(code, told, headers)


def _name(code: int) -> str:
    return next((each.name for each in grpc.StatusCode if each.value[0] == code), grpc.StatusCode.UNKNOWN.name)


def _detail(detail: AnyMessage, pool: DescriptorPool | None) -> dict[str, Any]:
    """A detail by its type; its bytes as base64 where the type is not known."""
    for known in (descriptor_pool.Default(), pool):
        with contextlib.suppress(DecodeError, TypeError, ValueError, json_format.SerializeToJsonError):
            told: dict[str, Any] = json_format.MessageToDict(detail, descriptor_pool=known)
            return told
    return {"@type": detail.type_url, "value": base64.b64encode(detail.value).decode()}
