"""Finds results by what they hold, and erases them."""

import json
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import typer
from rich.table import Table

from bankai.cli.connection import Connection
from bankai.cli.report import progress, screen
from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.errors import InvalidRequestError, NotFoundError
from bankai.evaluation.inputs import BadInputError
from services.doc_extract.client import DocExtractClient


async def erase_found(connection: Connection, texts: Sequence[str], receipt: Path | None, *, yes: bool) -> None:
    """Erases the results that hold any of the texts, once somebody has seen them and agrees.

    Args:
        connection: To the gateway.
        texts: What to look for.
        receipt: Gets a line for each result as soon as it is erased; None writes none.
        yes: Whether nobody is asked.

    Raises:
        BankaiError: The service cannot be reached, or refuses.
    """
    if not all(text.strip() for text in texts):
        raise InvalidRequestError("USAGE", "an empty text would find everything")
    async with connection.channel() as channel:
        client = DocExtractClient(channel, connection.metadata)
        found: dict[str, pb.ResultSummary] = {}
        for text in texts:
            async for summary in client.results(pb.ListResultsRequest(page_size=200, text=text)):
                found[summary.result_id] = summary
        _show(list(found.values()))
        if found and _agreed(len(found), yes=yes):
            await _erase(client, list(found), receipt)


async def erase_again(connection: Connection, receipt: Path, *, yes: bool) -> None:
    """Erases the results of a receipt that are there again.

    Raises:
        BadInputError: The file is no receipt.
        BankaiError: The service cannot be reached, or refuses.
    """
    ids = _read(receipt)
    if _agreed(len(ids), yes=yes):
        async with connection.channel() as channel:
            await _erase(DocExtractClient(channel, connection.metadata), ids, None)


async def _erase(client: DocExtractClient, ids: Sequence[str], receipt: Path | None) -> None:
    erased = 0
    for result_id in progress(ids, "erasing"):
        try:
            await client.delete(result_id)
        except NotFoundError:  # somebody was faster, or its time had come
            continue
        erased += 1
        if receipt is not None:
            line = {"result_id": result_id, "erased": datetime.now(UTC).isoformat(timespec="seconds")}
            with receipt.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
    sys.stdout.write(json.dumps({"asked": len(ids), "erased": erased}) + "\n")


def _show(found: Sequence[pb.ResultSummary]) -> None:
    table = Table("result", "file", "request", "extracted", "document", title=f"{len(found)} results hold it")
    for summary in found:
        kind = pb.DocumentKind.Name(summary.document_kind).removeprefix("DOCUMENT_KIND_").lower()
        when = f"{summary.create_time.ToDatetime():%Y-%m-%d}"
        table.add_row(summary.result_id, summary.file_name, summary.request_id, when, kind)
    screen().print(table)


def _agreed(count: int, *, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        raise InvalidRequestError("USAGE", "nobody is there to be asked: say --yes to erase")
    return typer.confirm(f"Erase these {count} results, their documents and reviews, for ever?")


def _read(receipt: Path) -> list[str]:
    try:
        lines = receipt.read_text(encoding="utf-8").splitlines()
    except OSError as error:
        raise BadInputError(receipt, None, f"cannot be read ({error.strerror})") from None
    ids = []
    for number, line in enumerate(lines, 1):
        try:
            ids.append(str(json.loads(line)["result_id"]))
        except (ValueError, KeyError, TypeError):
            raise BadInputError(receipt, number, "is no line of a receipt") from None
    return ids
