"""What the intent service adds to the `bankai` command."""

from typing import TYPE_CHECKING

import typer

from services.intent.cli.call import call
from services.intent.cli.drift import drift
from services.intent.cli.evaluation import eval_calls, eval_intent, eval_text_intent
from services.intent.cli.intents import intents

if TYPE_CHECKING:
    from rich.console import Console

    from bankai.cli.connection import Connection


def register(app: typer.Typer, evaluation_group: typer.Typer) -> None:
    """Adds the commands to `bankai` and to `bankai eval`."""
    app.command()(call)
    app.command()(intents)
    app.add_typer(drift(), name="drift")
    evaluation_group.command(name="intent")(eval_intent)
    evaluation_group.command(name="calls")(eval_calls)
    evaluation_group.command(name="text-intent")(eval_text_intent)


async def demo(connection: "Connection", console: "Console") -> None:
    """Streams the sample calls through a running gateway."""
    from services.intent.cli.demo import show_samples

    await show_samples(connection, console)
