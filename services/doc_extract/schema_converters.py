"""Messages of the API to what the domain speaks, and back: schemas."""

from collections.abc import Iterable, Sequence

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.errors import FieldViolation, InvalidRequestError
from bankai.timestamps import timestamp
from services.doc_extract.candidate import ValueKind
from services.doc_extract.converters import KINDS
from services.doc_extract.schema import FieldNames, FieldSpec
from services.doc_extract.schemas import DatedSchema

_REVIEW_BELOW = 0.8

_VALUE_KINDS = {kind: pb.ValueKind.Value(f"VALUE_KIND_{kind.name}") for kind in ValueKind}
_TO_VALUE_KIND = {number: kind for kind, number in _VALUE_KINDS.items()}
_TO_KIND = {int(number): kind for kind, number in KINDS.items()}


def schema_message(dated: DatedSchema) -> pb.Schema:
    """A schema."""
    schema = dated.schema
    return pb.Schema(
        schema_id=schema.id,
        version=schema.version,
        fields=[field_message(field) for field in schema.fields],
        create_time=None if dated.created is None else timestamp(dated.created),
    )


def field_message(field: FieldSpec) -> pb.Field:
    """A field."""
    return pb.Field(
        field_id=field.id,
        name_zh=field.names.zh,
        name_en=field.names.en,
        aliases=field.aliases,
        kind=_VALUE_KINDS[field.kind],
        required_in=sorted(KINDS[kind] for kind in field.required_in),
        review_below=field.review_below,
        builtin=field.builtin,
    )


def fields(messages: Iterable[pb.Field]) -> Sequence[FieldSpec]:
    """The bank's own fields.

    Raises:
        InvalidRequestError: SCHEMA_INVALID, where a kind is none.
    """
    return [_field(message, f"fields[{index}]") for index, message in enumerate(messages)]


def _field(message: pb.Field, where: str) -> FieldSpec:
    if message.kind not in _TO_VALUE_KIND:
        raise _invalid(f"{where}.kind", "must say what the field holds")
    if not set(message.required_in) <= set(_TO_KIND):
        raise _invalid(f"{where}.required_in", "must name kinds of documents")
    return FieldSpec(
        id=message.field_id,
        names=FieldNames(message.name_zh, message.name_en),
        aliases=tuple(message.aliases),
        kind=_TO_VALUE_KIND[message.kind],
        required_in=frozenset(_TO_KIND[kind] for kind in message.required_in),
        review_below=message.review_below if message.HasField("review_below") else _REVIEW_BELOW,
        builtin=False,
    )


def _invalid(where: str, what: str) -> InvalidRequestError:
    return InvalidRequestError("SCHEMA_INVALID", f"{where} {what}", violations=[FieldViolation(where, what)])
