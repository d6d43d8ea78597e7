"""`bankai drift reference`: what the service compares its utterances with from then on."""

from pathlib import Path
from typing import Annotated

import typer


def drift() -> typer.Typer:
    """The commands below `bankai drift`."""
    group = typer.Typer(no_args_is_help=True, help="Notice when callers change.")
    # With a callback a single command keeps its name.
    group.callback()(lambda: None)
    group.command()(reference)
    return group


def reference(
    files: Annotated[list[Path], typer.Argument(help='JSON lines {"text"}: utterances as they are expected.')],
    version: Annotated[
        Path | None, typer.Option(help="Folder of the version to make it for; the one in service by default.")
    ] = None,
) -> None:
    """Write the reference of the intent model's drift watch.

    Measures the model's answers on utterances as they are expected, such as those that the model was validated on or,
    better, a few thousand of your own, and writes how they are distributed into the version's folder as reference.json.
    It holds counts and no text. Labels are not needed. Services read it when they start with the version.

    \b
    Examples:
      bankai drift reference our-utterances.jsonl
      bankai drift reference val_a.jsonl val_b.jsonl --version build/intent/1
    """
    import asyncio
    import sys

    from services.intent.cli.measuring import write_reference

    written, count = asyncio.run(write_reference(files, version))
    sys.stdout.write(f"{written}: {count} utterances\n")
