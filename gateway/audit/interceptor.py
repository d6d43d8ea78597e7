"""Records every call in the audit log."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from contextvars import ContextVar
from hashlib import sha256
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import status_pb2
from opentelemetry import trace

from bankai import health, status
from bankai.errors import BankaiError, UnavailableError
from bankai.interceptors import CallInfo, Context, answered_by
from bankai.interceptors import request_id as request_ids
from bankai.interceptors.base import BaseInterceptor, Handler, outcome
from bankai.interceptors.errors import first_of_interest
from gateway.aborting import before_abort
from gateway.audit.log import AuditLog, rfc3339
from gateway.authn.caller import current_caller
from gateway.metadata import REPLAY_TRAILER, Metadatum

OPENED = "opened"
"""Event of a record that a stream was let in."""
ENDED = "ended"
"""Event of a record that a call has ended."""

_UNRECORDED = f"/{health.SERVICE_NAME}/"
_LENGTH_BYTES = 8


class AuditInterceptor(BaseInterceptor):
    """Writes a record before a call's status is sent. Belongs inside of the errors interceptor and outside of all else.

    Health checks are not recorded. What is not streamed must be decoded and encoded further in, as
    `DecodingInterceptor` does it.

    Args:
        log: Where the records go.
    """

    def __init__(self, log: AuditLog) -> None:
        self._log = log

    def wrap(self, handler: Handler) -> None:
        """Hashes messages as they pass and records how the call ends.

        What it raises: UnavailableError (AUDIT_UNAVAILABLE) instead of an answer that could not be recorded.
        """
        call, behaviour, log = handler.call, handler.behaviour, self._log
        if call.method.startswith(_UNRECORDED):
            return
        requests, answers = _Digest(framed=call.request_streaming), _Digest(framed=call.response_streaming)
        if call.request_streaming:
            handler.request_deserializer = requests.before(handler.request_deserializer)
        if call.response_streaming:
            handler.response_serializer = answers.after(handler.response_serializer)

        async def wrapped(request: Any, context: Context) -> Any:
            log.admit()
            if not call.request_streaming:
                requests.add(request)
            recording = _Recording(log, call, context, requests, answers)
            _current.set(recording)
            try:
                response = await behaviour(request, before_abort(context, recording.aborted))
            except BaseException as error:
                recording.failed(error)
                raise
            # A handler that set an error itself may return nothing.
            if response is not None and not call.response_streaming:
                answers.add(response)
            recording.ended(context.code() or grpc.StatusCode.OK, "", context.trailing_metadata() or ())
            return response

        handler.behaviour = wrapped


class AdmissionInterceptor(BaseInterceptor):
    """Notes that a call was let in, and records that a stream is open. Belongs inside of authentication and policy."""

    def wrap(self, handler: Handler) -> None:
        """What it raises: UnavailableError (AUDIT_UNAVAILABLE) where a stream cannot be recorded."""
        behaviour = handler.behaviour

        async def wrapped(request: Any, context: Context) -> Any:
            recording = _current.get()
            if recording is not None:
                recording.admitted()
            return await behaviour(request, context)

        handler.behaviour = wrapped


class _Digest:
    """SHA-256 of the messages of one direction.

    Args:
        framed: Whether there may be several, each of which its length precedes then (8 bytes, the highest first).
    """

    __slots__ = ("_framed", "_sum", "messages")

    def __init__(self, *, framed: bool) -> None:
        self._framed = framed
        self._sum = sha256()
        self.messages = 0

    def add(self, message: bytes) -> None:
        if self._framed:
            self._sum.update(len(message).to_bytes(_LENGTH_BYTES, "big"))
        self._sum.update(message)
        self.messages += 1

    @property
    def hex(self) -> str:
        """Empty where there was no message."""
        return self._sum.hexdigest() if self.messages else ""

    def before(self, decode: Callable[[bytes], Any] | None) -> Callable[[bytes], Any]:
        def added(raw: bytes) -> Any:
            self.add(raw)
            return raw if decode is None else decode(raw)

        return added

    def after(self, encode: Callable[[Any], bytes] | None) -> Callable[[Any], bytes]:
        def added(message: Any) -> bytes:
            raw: bytes = message if encode is None else encode(message)
            self.add(raw)
            return raw

        return added


class _Recording:
    """What is known of one call."""

    __slots__ = ("_admitted", "_answers", "_began", "_call", "_context", "_log", "_opened", "_recorded", "_requests")

    def __init__(self, log: AuditLog, call: CallInfo, context: Context, requests: _Digest, answers: _Digest) -> None:
        self._log = log
        self._call = call
        self._context = context
        self._requests = requests
        self._answers = answers
        self._began = rfc3339(time.time() - (time.perf_counter() - call.started))
        self._opened = 0
        self._admitted = False
        self._recorded = False

    def admitted(self) -> None:
        self._admitted = True
        if self._call.kind != "unary":
            self._opened = self._log.record({**self._beginning(), "event": OPENED})

    async def aborted(self, code: grpc.StatusCode, trailers: Iterable[Metadatum]) -> None:
        """Records the end that an abort is about to make.

        Raises:
            UnavailableError: AUDIT_UNAVAILABLE.
        """
        self.ended(code, _reason(trailers), trailers)

    def failed(self, error: BaseException) -> None:
        """Records the end that an exception makes.

        Raises:
            UnavailableError: It cannot be recorded, and the client is still there to be told.
        """
        cause = first_of_interest(error)
        trailers = self._context.trailing_metadata() or ()
        if isinstance(cause, BankaiError):
            self.ended(cause.code, cause.reason, trailers)
        elif isinstance(cause, Exception) and not isinstance(cause, grpc.aio.AbortError | grpc.aio.InternalError):
            foreseen = status.internal_error()
            self.ended(foreseen.code, foreseen.reason, trailers)
        else:
            with suppress(UnavailableError):
                self.ended(outcome(self._context, cause), "", trailers)

    def ended(self, code: grpc.StatusCode, reason: str, trailers: Iterable[Metadatum]) -> None:
        """Records the end of the call, the first time.

        Raises:
            UnavailableError: AUDIT_UNAVAILABLE.
        """
        if self._recorded:
            return
        self._recorded = True  # once, though it may fail: the error that this is must not be recorded in its place
        told = dict(trailers)
        self._log.record(
            {
                **self._beginning(),
                "event": ENDED,
                "answer_sha256": self._answers.hex,
                "answers": self._answers.messages,
                "code": code.name,
                "decision": "allowed" if self._admitted else "refused",
                "duration_us": round((time.perf_counter() - self._call.started) * 1e6),
                "model_version": str(told.get(answered_by.HEADER, "")),
                "opened": self._opened,
                "reason": reason,
                "replayed": int(told.get(REPLAY_TRAILER) == "true"),
                "request_sha256": self._requests.hex,
                "requests": self._requests.messages,
            }
        )

    def _beginning(self) -> dict[str, Any]:
        call = self._call
        try:
            caller = current_caller()
        except LookupError:
            channel = credential = ""
        else:
            channel, credential = caller.channel, caller.credential
        span = trace.get_current_span().get_span_context()
        return {
            "channel": channel,
            "credential": credential,
            "kind": call.kind,
            "method": call.shown,
            "peer": self._context.peer(),
            "request_id": request_ids.current(),
            "time": self._began,
            "trace_id": trace.format_trace_id(span.trace_id) if span.is_valid else "",
        }


_current: ContextVar[_Recording | None] = ContextVar("recording", default=None)


def _reason(trailers: Iterable[Metadatum]) -> str:
    """Reason of an error that a backend answered; empty where it gave no details."""
    for key, value in trailers:
        if key == status.DETAILS_KEY and isinstance(value, bytes):
            with suppress(DecodeError):
                return status.from_status(status_pb2.Status.FromString(value)).reason
    return ""
