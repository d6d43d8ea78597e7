"""`bankai intents`: what the service can tell apart."""

from typing import Annotated

import typer

from bankai.cli.connection import ApiKeyFileOption, ApiKeyOption, CaOption


def intents(
    address: Annotated[
        str | None, typer.Option(help="host:port of a running gateway to ask. Without it the model's own file is read.")
    ] = None,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """List the intents and emotions of the model.

    \b
    Examples:
      bankai intents
      bankai intents --address 127.0.0.1:50051
    """
    import asyncio

    from rich.table import Table

    from bankai.cli.connection import connection
    from bankai.cli.report import screen
    from services.intent.cli import label_list

    if address:
        listed = asyncio.run(label_list.remote(connection(address, api_key, api_key_file, ca)))
    else:
        listed = label_list.shipped()
    console = screen()
    table = Table("intent", "诉求", "English", "covers", title=f"Model {listed.model.name} {listed.model.version}")
    for intent in listed.intents:
        table.add_row(intent.intent_id, intent.name_zh, intent.name_en, intent.covers)
    console.print(table)
    table = Table("emotion", "情绪")
    for emotion in listed.emotions:
        table.add_row(emotion.emotion_id, emotion.name_zh)
    console.print(table)
