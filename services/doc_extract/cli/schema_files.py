"""Schemas as YAML files, and as tables on a terminal."""

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError
from rich.markup import escape
from rich.table import Table

from bankai.cli.connection import Connection
from bankai.cli.report import screen
from bankai.client.documents import DocExtractClient
from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.evaluation.inputs import BadInputError, read_text
from bankai.validation import first_problem
from services.doc_extract.candidate import ValueKind
from services.doc_extract.converters import KINDS
from services.doc_extract.result import DocumentKind


class FieldEntry(BaseModel):
    """A field as a file has it; what is not said is the service's to decide."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    zh: str = ""
    en: str = ""
    kind: ValueKind
    aliases: tuple[str, ...]
    required_in: tuple[DocumentKind, ...] = ()
    review_below: float | None = None

    def message(self) -> pb.Field:
        """The field as the API has it."""
        return pb.Field(
            field_id=self.id,
            name_zh=self.zh,
            name_en=self.en,
            aliases=self.aliases,
            kind=pb.ValueKind.Value(f"VALUE_KIND_{self.kind.name}"),
            required_in=[KINDS[kind] for kind in self.required_in],
            review_below=self.review_below,
        )


class SchemaFile(BaseModel):
    """A schema of the bank's own as a file has it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    fields: tuple[FieldEntry, ...]


def read_schema(file: Path) -> pb.PutSchemaRequest:
    """The request that stores the schema of a file.

    Raises:
        BadInputError: The file is no schema; the message says where.
    """
    try:
        content = yaml.safe_load(read_text(file))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise BadInputError(file, mark.line + 1 if mark else None, "is no YAML") from None
    try:
        schema = SchemaFile.model_validate(content)
    except ValidationError as error:
        raise BadInputError(file, None, first_problem(error)) from None
    return pb.PutSchemaRequest(schema_id=schema.id, fields=[field.message() for field in schema.fields])


async def put(connection: Connection, file: Path) -> None:
    """Stores the schema of a file and says which version it is.

    Raises:
        BankaiError: The file is wrong, or the service refuses it or cannot be reached.
    """
    request = read_schema(file)
    async with connection.channel() as channel:
        stored = await DocExtractClient(channel, connection.metadata).put_schema(request)
    screen().print(f"schema {stored.schema_id} version {stored.version}: {len(stored.fields)} fields")


async def show(connection: Connection, schema_id: str, *, all_versions: bool) -> None:
    """Prints schemas.

    Raises:
        BankaiError: There is none of that id, or the service cannot be reached.
    """
    async with connection.channel() as channel:
        found = await DocExtractClient(channel, connection.metadata).schemas(schema_id, all_versions=all_versions)
    console = screen()
    for schema in found:
        table = Table(
            "field", "名称", "name", "kind", "review below", "found by", title=f"{schema.schema_id} {schema.version}"
        )
        for field in schema.fields:
            kind = pb.ValueKind.Name(field.kind).removeprefix("VALUE_KIND_").lower()
            labels = escape(", ".join(field.aliases))
            row = (
                field.field_id,
                escape(field.name_zh),
                escape(field.name_en),
                kind,
                f"{field.review_below:g}",
                labels,
            )
            table.add_row(*row)
        console.print(table)
