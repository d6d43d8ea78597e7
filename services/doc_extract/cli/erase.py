"""`bankai erase`: what is held about a customer, found and erased."""

from pathlib import Path
from typing import Annotated

import typer

from bankai.cli.connection import DEFAULT_ADDRESS, AddressOption, ApiKeyFileOption, ApiKeyOption, CaOption


def erase(
    texts: Annotated[
        list[str] | None, typer.Argument(help="Names and numbers of the customer.", metavar="[TEXT...]")
    ] = None,
    again: Annotated[
        Path | None, typer.Option(help="A receipt of before: erases what it lists, e.g. after a backup was restored.")
    ] = None,
    receipt: Annotated[
        Path | None, typer.Option(help="File to which a line is added for each result that was erased: id and time.")
    ] = None,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Erase without asking.")] = False,
    address: AddressOption = DEFAULT_ADDRESS,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """Find the results that hold any of the texts, and erase them with their documents and reviews.

    Looks where the texts can stand: in extracted values, in people's corrections, in file names and request ids; not in
    the rest of a document. Finds what the key's channel may read, so its policy should say reads: ["*"]. Shows what it
    found and asks. Each erasure is a call in the gateway's audit log, which holds no content.

    Keep the receipts: a backup that is restored brings erased customers back until it is erased again. Answers kept for
    idempotency keys are erased by `bankai gateway forget-answers`; calls on the phone are forgotten after
    BANKAI_INTENT_SESSIONS__TTL_S.

    \b
    Examples:
      bankai erase 王小明 11010119900307123X --receipt erased.jsonl
      bankai erase --again erased.jsonl --yes
    """
    import asyncio

    from bankai.cli.connection import connection
    from bankai.errors import InvalidRequestError
    from services.doc_extract.cli.erasing import erase_again, erase_found

    if bool(texts) == bool(again):
        raise InvalidRequestError("USAGE", "say what to look for, or --again and a receipt")
    reached = connection(address, api_key, api_key_file, ca)
    if again is not None:
        asyncio.run(erase_again(reached, again, yes=yes))
    else:
        asyncio.run(erase_found(reached, texts or [], receipt, yes=yes))
