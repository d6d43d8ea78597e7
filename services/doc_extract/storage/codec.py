"""Records as the tables hold them."""

from collections.abc import Sequence
from typing import Any

from pydantic import TypeAdapter

from services.doc_extract.result import Extraction
from services.doc_extract.review import Correction, Review
from services.doc_extract.submission import Claim, Failure, Result, State, Submission

Row = dict[str, Any]

EXTRACTION = TypeAdapter(Extraction)
FAILURE = TypeAdapter(Failure)
_CORRECTIONS: TypeAdapter[tuple[Correction, ...]] = TypeAdapter(tuple[Correction, ...])


def submission(row: Row) -> Submission:
    """What was asked for, from a row of documents."""
    return Submission(**{name: row[name] for name in Submission.__slots__})


def submission_values(asked: Submission) -> dict[str, Any]:
    """The columns of documents that say what was asked for."""
    return {name: getattr(asked, name) for name in Submission.__slots__}


def claim(row: Row, *, granted: bool) -> Claim:
    """A claim, from a row of documents."""
    return Claim(
        id=row["id"],
        submission=submission(row),
        state=State(row["state"]),
        granted=granted,
        token=row["token"],
        blob=row["blob"],
        attempts=row["attempts"],
    )


def result(row: Row, reviews: Sequence[Row]) -> Result:
    """A result, from a row of documents that is done and its rows of reviews."""
    return Result(
        id=row["id"],
        submission=submission(row),
        created=row["created"],
        extraction=EXTRACTION.validate_json(row["extraction"]),
        reviews=[review(each) for each in reviews],
        blob=row["blob"],
    )


def review(row: Row) -> Review:
    """A review, from its row."""
    return Review(
        revision=row["revision"],
        reviewer=row["reviewer"],
        channel=row["channel"],
        created=row["created"],
        corrections=_CORRECTIONS.validate_json(row["corrections"]),
    )


def review_values(kept: Review) -> dict[str, Any]:
    """The columns of reviews."""
    return {
        "revision": kept.revision,
        "reviewer": kept.reviewer,
        "channel": kept.channel,
        "created": kept.created,
        "corrections": json_of(_CORRECTIONS, tuple(kept.corrections)),
    }


def json_of(adapter: TypeAdapter[Any], value: object) -> str:
    """A record as JSON."""
    return adapter.dump_json(value).decode()
