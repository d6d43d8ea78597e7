"""What the progress_monitor service adds to the `bankai` command."""

from typing import TYPE_CHECKING

import typer

from services.progress_monitor.cli.commands import progress
from services.progress_monitor.cli.evaluation import eval_change, eval_progress
from services.progress_monitor.cli.training import train

if TYPE_CHECKING:
    from rich.console import Console

    from bankai.cli.connection import Connection


def register(app: typer.Typer, evaluation_group: typer.Typer) -> None:
    """Adds the commands to `bankai` and to `bankai eval`."""
    app.add_typer(progress(), name="progress")
    app.add_typer(train(), name="train")
    evaluation_group.command(name="change")(eval_change)
    evaluation_group.command(name="progress")(eval_progress)


async def demo(connection: "Connection", console: "Console") -> None:
    """Follows a sample site through a running gateway."""
    from services.progress_monitor.cli.demo import show_sample

    await show_sample(connection, console)
