"""`bankai call`: a call's transcript in, what it means out."""

from pathlib import Path
from typing import Annotated

import typer

from bankai.cli.connection import DEFAULT_ADDRESS, AddressOption, ApiKeyFileOption, ApiKeyOption, CaOption


def call(
    file: Annotated[Path | None, typer.Argument(help="Calls in JSON lines, or a transcript in plain text.")] = None,
    *,
    live: Annotated[bool, typer.Option("--live", help="Type the call yourself.")] = False,
    address: AddressOption = DEFAULT_ADDRESS,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """Stream a call through a running gateway.

    Shows intents, emotion and escalation turn by turn, and the summary at the end. A file holds calls as
    `bankai eval calls` reads them, or plain text with "caller: ..." and "agent: ..." lines (客户: and 坐席: do as
    well). With --live you type as the caller; "a: " before a line makes it the agent's; an empty line hangs up.

    \b
    Examples:
      bankai up                                      in another terminal
      bankai call my-call.txt
      bankai call training/intent/corpus/calls/val.jsonl
      bankai call --live
      bankai call my-call.txt --address gateway.bank.example:443 --ca ca.pem --api-key-file ivr.key
    """
    import asyncio

    from bankai.cli.connection import connection
    from bankai.cli.report import screen
    from bankai.errors import InvalidRequestError

    if live == (file is not None):
        raise InvalidRequestError("USAGE", "give either a FILE or --live; see bankai call --help")
    reached = connection(address, api_key, api_key_file, ca)
    console = screen()
    if file is None:
        from services.intent.cli.live import converse

        asyncio.run(converse(reached, console))
    else:
        from services.intent.cli.streaming import show
        from services.intent.cli.transcript import read_transcripts

        asyncio.run(show(reached, read_transcripts(file), console))
