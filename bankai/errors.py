"""Everything that can go wrong on purpose, as one tree.

    BankaiError
    ├── InvalidRequestError      the caller must change the request             INVALID_ARGUMENT
    ├── UnauthenticatedError     who is calling is not known                    UNAUTHENTICATED
    ├── ForbiddenError           the caller may not do this                     PERMISSION_DENIED
    ├── NotFoundError            what is asked for does not exist               NOT_FOUND
    ├── ConflictError            the state of the thing does not allow it       FAILED_PRECONDITION
    ├── UnsupportedError         the server does not offer this                 UNIMPLEMENTED
    ├── ExhaustedError           a limit of the caller or the server is reached RESOURCE_EXHAUSTED
    ├── UnavailableError         try again, perhaps elsewhere                   UNAVAILABLE
    ├── DeadlineError            there was not enough time                      DEADLINE_EXCEEDED
    └── FaultError               our fault                                      INTERNAL

Each carries a stable `reason` (UPPER_SNAKE_CASE, part of the API) and a message that is safe to show: no path, no model
internals, no customer text. `bankai.status` turns any of them into a google.rpc.Status.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

import grpc


@dataclass(frozen=True)
class FieldViolation:
    """One field of a request that is wrong.

    Attributes:
        field: Path of the field as the proto names it, e.g. "context[3]".
        description: What is wrong with it and what would be right.
    """

    field: str
    description: str


@dataclass(frozen=True)
class QuotaViolation:
    """One limit that is reached.

    Attributes:
        subject: Whose limit it is, e.g. "channel:ivr".
        description: What the limit is and how it is kept.
        metric: What is counted, e.g. "calls".
        limit: Name of the limit where it is set, e.g. "calls_per_day".
        value: The limit; 0 where it is no whole number.
    """

    subject: str
    description: str
    metric: str = ""
    limit: str = ""
    value: int = 0


class BankaiError(Exception):
    """Base of all errors that a caller may see.

    Args:
        reason: Stable machine-readable reason, e.g. "TEXT_TOO_LONG".
        message: For people: what was wrong, where, and what to do.
        violations: Fields of the request that are to blame.
        quotas: Limits that are reached.
        retry_after: Seconds after which the same call may succeed, if any.
    """

    code: ClassVar[grpc.StatusCode] = grpc.StatusCode.UNKNOWN

    def __init__(
        self,
        reason: str,
        message: str,
        *,
        violations: Sequence[FieldViolation] = (),
        quotas: Sequence[QuotaViolation] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.message = message
        self.violations = tuple(violations)
        self.quotas = tuple(quotas)
        self.retry_after = retry_after


class InvalidRequestError(BankaiError):
    """The caller must change the request."""

    code = grpc.StatusCode.INVALID_ARGUMENT


class UnauthenticatedError(BankaiError):
    """Who is calling is not known."""

    code = grpc.StatusCode.UNAUTHENTICATED


class ForbiddenError(BankaiError):
    """The caller may not do this."""

    code = grpc.StatusCode.PERMISSION_DENIED


class NotFoundError(BankaiError):
    """What is asked for does not exist."""

    code = grpc.StatusCode.NOT_FOUND


class ConflictError(BankaiError):
    """The state of the thing does not allow the operation."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class UnsupportedError(BankaiError):
    """The server does not offer this."""

    code = grpc.StatusCode.UNIMPLEMENTED


class ExhaustedError(BankaiError):
    """A limit of the caller or of the server is reached."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED


class UnavailableError(BankaiError):
    """Not now: try again, perhaps elsewhere."""

    code = grpc.StatusCode.UNAVAILABLE


class DeadlineError(BankaiError):
    """There was not enough time."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED


class FaultError(BankaiError):
    """The fault is ours."""

    code = grpc.StatusCode.INTERNAL
