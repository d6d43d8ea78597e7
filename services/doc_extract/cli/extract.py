"""`bankai extract`: documents in, fields out."""

from pathlib import Path
from typing import Annotated

import typer

from bankai.cli.connection import DEFAULT_ADDRESS, AddressOption, ApiKeyFileOption, ApiKeyOption, CaOption


def extract(
    files: Annotated[list[Path], typer.Argument(help="Documents: PDF, scan, photo, DOCX, text.", metavar="FILE...")],
    schema: Annotated[str, typer.Option(help="Id of the schema; see bankai schemas list.")] = "credit",
    annotate: Annotated[
        Path | None, typer.Option(help="Draw every value on its page into this .pdf or .png; for one document.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json/--table", help="Print JSON lines, or tables for people.")] = False,
    address: AddressOption = DEFAULT_ADDRESS,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """Extract the fields of credit documents through a running gateway.

    Shows every value with its normal form, its page and its confidence, and the contradictions inside the document.
    Values marked "review" are not to be acted on before a person has confirmed them. With --json every document is one
    line: {"file", "result"} as the API has it, or {"file", "error"}. Exit code 1 where a document could not be read.

    \b
    Examples:
      bankai up                                      in another terminal
      bankai extract notice.pdf
      bankai extract contracts/*.pdf --json > results.jsonl
      bankai extract scan.jpg --annotate scan.annotated.png
      bankai extract notice.pdf --schema acme_credit
    """
    import asyncio

    from bankai.cli.connection import connection
    from services.doc_extract.cli.running import run

    reached = connection(address, api_key, api_key_file, ca)
    if not asyncio.run(run(reached, files, schema, annotate, as_json=as_json)):
        raise typer.Exit(1)
