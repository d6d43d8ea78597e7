"""Which headers become metadata of the call, and which metadata becomes headers of the answer."""

import base64
import re
from collections.abc import Iterable, Mapping

from multidict import CIMultiDict, CIMultiDictProxy

from bankai.errors import InvalidRequestError
from bankai.interceptors import request_id
from gateway.metadata import CREDENTIALS, Metadatum

TIMEOUT_HEADER = "x-timeout-ms"
# Everything else stays here: what starts with grpc- and x-bankai- above all, which is for the gateway alone to say.
_PASSED = (*CREDENTIALS, "idempotency-key", "traceparent", "tracestate", "x-release-key")
# What gRPC takes for a text value.
_TEXT = re.compile(r"[\x20-\x7e]*")
_TIMEOUT = re.compile(r"[1-9]\d{0,8}")
_ALWAYS = {
    "Cache-Control": "no-store",
    "Server": "bankai",
    "X-Content-Type-Options": "nosniff",
}
_HSTS = {"Strict-Transport-Security": "max-age=31536000"}


def metadata_of(headers: CIMultiDictProxy[str], identity: str) -> tuple[tuple[str, str], ...]:
    """The metadata of a call.

    Args:
        headers: Headers of the request.
        identity: Id of the request.

    Raises:
        InvalidRequestError: HEADER_INVALID.
    """
    passed = tuple((name, value) for name in _PASSED for value in headers.getall(name, ()))
    for name, value in passed:
        if not _TEXT.fullmatch(value):
            raise InvalidRequestError("HEADER_INVALID", f"the header {name} must be printable ASCII")
    return (*passed, (request_id.HEADER, identity))


def timeout_of(headers: CIMultiDictProxy[str]) -> float | None:
    """Seconds that the client gives the call; None where it does not say.

    Raises:
        InvalidRequestError: HEADER_INVALID.
    """
    given = headers.get(TIMEOUT_HEADER)
    if given is None:
        return None
    if not _TIMEOUT.fullmatch(given):
        raise InvalidRequestError("HEADER_INVALID", f"the header {TIMEOUT_HEADER} must be a number of milliseconds")
    return int(given) / 1000


def from_trailers(trailers: Iterable[Metadatum]) -> CIMultiDict[str]:
    """The headers that a call's trailing metadata gives: those that start with x-, binary ones as base64."""
    return CIMultiDict(
        (key, base64.b64encode(value).decode() if isinstance(value, bytes) else value)
        for key, value in trailers
        if key.startswith("x-") and not key.startswith("x-bankai-")
    )


def common(identity: str, *, tls: bool) -> Mapping[str, str]:
    """The headers of every answer.

    Args:
        identity: Id of the request.
        tls: Whether the port speaks TLS.
    """
    return {**_ALWAYS, request_id.HEADER: identity, **(_HSTS if tls else {})}
