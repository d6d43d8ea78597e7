"""What the doc_extract service adds to the `bankai` command."""

from typing import TYPE_CHECKING

import typer

from services.doc_extract.cli.evaluation import eval_documents, eval_sentences
from services.doc_extract.cli.extract import extract
from services.doc_extract.cli.schemas import schemas

if TYPE_CHECKING:
    from rich.console import Console

    from bankai.cli.connection import Connection


def register(app: typer.Typer, evaluation_group: typer.Typer) -> None:
    """Adds the commands to `bankai` and to `bankai eval`."""
    app.command()(extract)
    app.add_typer(schemas(), name="schemas")
    evaluation_group.command(name="documents")(eval_documents)
    evaluation_group.command(name="sentences")(eval_sentences)


async def demo(connection: "Connection", console: "Console") -> None:
    """Extracts the sample documents through a running gateway."""
    from services.doc_extract.cli.demo import show_samples

    await show_samples(connection, console)
