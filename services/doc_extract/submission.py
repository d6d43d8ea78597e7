"""A document that is handed in, and what becomes of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

from bankai import errors
from bankai.errors import BankaiError, FaultError
from services.doc_extract.result import Extraction
from services.doc_extract.review import Review, ReviewedValue, reviewed


@dataclass(frozen=True, slots=True)
class Submission:
    """What a caller asks for. Its bytes go beside it.

    Attributes:
        channel: Channel of the bank through which it came; empty without a gateway.
        request_id: The caller's id, unique within the channel.
        file_name: For people.
        schema_id: Schema whose fields to look for.
        schema_version: The version that was the latest when it was handed in.
        timeout_s: Longest that extracting it may take, in seconds.
        sha256: SHA-256 of its bytes, hexadecimal.
    """

    channel: str
    request_id: str
    file_name: str
    schema_id: str
    schema_version: str
    timeout_s: float
    sha256: str


class State(StrEnum):
    """How far a document is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a document has no result; an error that can be kept.

    Attributes:
        error: Name of the error's class in `bankai.errors`.
        reason: Its reason.
        message: What it says.
    """

    error: str
    reason: str
    message: str

    @classmethod
    def of(cls, error: BankaiError) -> Self:
        """What is kept of an error."""
        base = next(kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
        return cls(base.__name__, error.reason, error.message)

    def to_error(self) -> BankaiError:
        """The error again."""
        kind: type[BankaiError] = getattr(errors, self.error, FaultError)
        return kind(self.reason, self.message)


@dataclass(frozen=True, slots=True)
class Claim:
    """A document that one task may work on, or must not.

    Attributes:
        id: The service's id of the document, and of its result.
        submission: What was asked for.
        state: How far it is; RUNNING where the claim was granted.
        granted: Whether it is the caller's to extract.
        token: Tells this claim from every other one of the document.
        blob: Key of its bytes where they are kept; else empty.
        attempts: How often it was begun, this time included.
    """

    id: str
    submission: Submission
    state: State
    granted: bool
    token: str
    blob: str
    attempts: int


@dataclass(frozen=True, slots=True)
class Result:
    """What was extracted from a document, and what people said of it.

    Attributes:
        id: The service's id.
        submission: What was asked for.
        created: When it was handed in, seconds since 1970.
        extraction: What the models said.
        reviews: What people said, in their order.
        blob: Key of the document's bytes where they are kept; else empty.
    """

    id: str
    submission: Submission
    created: float
    extraction: Extraction
    reviews: Sequence[Review]
    blob: str

    @property
    def revision(self) -> int:
        """How many reviews are in it."""
        return len(self.reviews)

    def values(self) -> Sequence[ReviewedValue]:
        """Its values as they are now."""
        return reviewed(self.extraction, self.reviews)

    def original(self) -> "Result":
        """The result before anybody reviewed it."""
        return Result(self.id, self.submission, self.created, self.extraction, (), self.blob)


@dataclass(frozen=True, slots=True)
class ResultSummary:
    """A result in short.

    Attributes:
        id: The service's id.
        request_id: The caller's.
        file_name: For people.
        created: When the document was handed in, seconds since 1970.
        schema_id: Its schema.
        document_kind: What the document is.
        to_review: Values that a person must confirm.
        findings: Contradictions and missing fields.
        revision: How many reviews are in it.
    """

    id: str
    request_id: str
    file_name: str
    created: float
    schema_id: str
    document_kind: str
    to_review: int
    findings: int
    revision: int
