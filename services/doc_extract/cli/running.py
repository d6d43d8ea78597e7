"""Sends documents as a batch, follows it, and shows what comes back."""

import asyncio
import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from google.protobuf.json_format import MessageToDict
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bankai.cli.connection import Connection
from bankai.cli.report import screen
from bankai.client.documents import Batch, DocExtractClient, OutgoingDocument
from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.errors import BankaiError, InvalidRequestError
from bankai.evaluation.inputs import BadInputError
from bankai.status import from_status
from services.doc_extract.cli.annotation import annotate, check_target
from services.doc_extract.cli.rendering import findings_of, heading_of, values_of

POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of a document: a result or an error.

    Attributes:
        file: The document, as the user named it.
        data: Its bytes.
        result: The result, if there is one.
        error: Why not, otherwise.
    """

    file: Path
    data: bytes
    result: pb.ExtractionResult | None
    error: BankaiError | None


async def run(
    connection: Connection, files: Sequence[Path], schema_id: str, target: Path | None, *, as_json: bool
) -> bool:
    """Extracts documents and prints their results.

    Args:
        connection: To the gateway.
        files: The documents.
        schema_id: Schema whose fields to look for.
        target: Where to draw the values of the one document; None draws nothing.
        as_json: Whether to print for machines.

    Returns:
        Whether every document has a result.

    Raises:
        BankaiError: A file cannot be read, or the service cannot be reached or refused all.
    """
    if target is not None:
        if len(files) > 1:
            raise InvalidRequestError("USAGE", "--annotate takes one document at a time")
        check_target(target)
    documents = [OutgoingDocument(read(file), file.name, schema_id) for file in files]
    async with connection.channel() as channel:
        client = DocExtractClient(channel, connection.metadata)
        names = {field.field_id: field for schema in await client.schemas(schema_id) for field in schema.fields}
        answers = await extract_all(client, files, documents)
    console = screen()
    for answer in answers:
        if as_json:
            sys.stdout.write(_json(answer) + "\n")
        else:
            show(answer, names, console)
    for answer in answers:
        if target is not None and answer.result is not None:
            for written in annotate(answer.data, answer.result, target):
                Console(stderr=True).print(f"drawn: {written}", highlight=False)
    return all(answer.result is not None for answer in answers)


async def extract_all(
    client: DocExtractClient, files: Sequence[Path], documents: Sequence[OutgoingDocument]
) -> list[Answer]:
    """What came of each document, with a progress bar on stderr meanwhile. Cancelled, it cancels the batch, too.

    Raises:
        BankaiError: The batch as a whole was refused or lost.
    """
    with _progress() as progress:
        task = progress.add_task("sending", total=sum(len(document.data) for document in documents), count="")
        batch = await client.start_batch(documents, sent=lambda size: progress.advance(task, size))
        progress.reset(task, total=None, description="reading", count="")
        try:
            while not batch.done:
                _tell(progress, task, batch)
                await asyncio.sleep(POLL_S)
                batch = await client.batch(batch.name)
        except asyncio.CancelledError:
            await client.cancel(batch.name)
            raise
        _tell(progress, task, batch)
    if batch.cancelled:
        raise InvalidRequestError("BATCH_CANCELLED", "somebody cancelled the batch")
    return [
        await _answer(client, file, document.data, outcome)
        for file, document, outcome in zip(files, documents, batch.outcomes, strict=True)
    ]


def show(answer: Answer, names: dict[str, pb.Field], console: Console) -> None:
    """Prints what came of a document for people."""
    if answer.error is not None:
        Console(stderr=True).print(f"{answer.file}: {answer.error.message}", highlight=False, style="red")
        return
    assert answer.result is not None, "there is a result or an error"  # noqa: S101  # for the type checker
    console.print(heading_of(answer.file.name, answer.result))
    console.print(values_of(answer.result, names))
    for line in findings_of(answer.result, names):
        console.print(line)


def read(file: Path) -> bytes:
    """The bytes of a file.

    Raises:
        BadInputError: It cannot be read.
    """
    try:
        return file.read_bytes()
    except OSError as error:
        raise BadInputError(file, None, f"cannot be read ({error.strerror})") from None


async def _answer(client: DocExtractClient, file: Path, data: bytes, outcome: pb.DocumentOutcome) -> Answer:
    if outcome.HasField("error"):
        return Answer(file, data, None, from_status(outcome.error))
    return Answer(file, data, await client.result(outcome.result_id), None)


def _json(answer: Answer) -> str:
    line: dict[str, object] = {"file": str(answer.file)}
    if answer.result is not None:
        line["result"] = MessageToDict(
            answer.result, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
        )
    elif answer.error is not None:
        line["error"] = {"reason": answer.error.reason, "message": answer.error.message}
    return json.dumps(line, ensure_ascii=False)


@contextmanager
def _progress() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as progress:
        yield progress


def _tell(progress: Progress, task: object, batch: Batch) -> None:
    """Pages where they are known, and documents otherwise."""
    told = batch.metadata
    count = f"{told.documents_done} of {told.documents} documents, {told.pages_done} of {told.pages} pages"
    of_pages = told.pages and told.documents == 1
    done, total = (told.pages_done, told.pages) if of_pages else (told.documents_done, told.documents)
    progress.update(task, completed=done, total=total, count=count)  # type: ignore[arg-type]  # rich's TaskID
