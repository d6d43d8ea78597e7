"""The intent service's part of `bankai demo`."""

from importlib.resources import files
from pathlib import Path

from rich.console import Console

from bankai.cli.connection import Connection
from services.intent.cli.streaming import show
from services.intent.cli.transcript import read_transcripts

SAMPLES = (
    ("fraud_zh.jsonl", "A caller is being defrauded, and gets angry with the bank"),
    ("refund_en.jsonl", "In English: a charge that was not hers"),
)
PAUSE_S = 0.05
"""Between lines, so that the eye can follow."""


async def show_samples(connection: Connection, console: Console) -> None:
    """Streams every sample call.

    Raises:
        BankaiError: The service cannot be reached, or refused something.
    """
    for name, title in SAMPLES:
        console.rule(f"[bold]{title}[/bold]", align="left")
        file = Path(str(files("services.intent.cli") / "samples" / name))
        await show(connection, read_transcripts(file), console, pause=PAUSE_S)
