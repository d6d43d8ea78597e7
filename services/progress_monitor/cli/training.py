"""`bankai train progress`: the change model, adapted to a bank's own pictures."""

from pathlib import Path
from typing import Annotated

import typer


def train() -> typer.Typer:
    """The commands below `bankai train`."""
    group = typer.Typer(no_args_is_help=True, help="Adapt a shipped model to data of your own.")

    @group.callback()
    def several() -> None:
        """Adapt a shipped model to data of your own."""

    group.command(name="progress")(train_progress)
    return group


def train_progress(
    data: Annotated[Path, typer.Option(help="Folder of labelled pairs, as `bankai eval change` reads them.")],
    out: Annotated[
        Path | None, typer.Option(help="Model repository to write progress_change into; none only judges.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Parts of the pairs that are left out in turn.")] = 5,
    steps: Annotated[int, typer.Option(min=1, help="Steps of each fit.")] = 400,
) -> None:
    """Adapt the change model to labelled pairs of pictures, and say whether that helps.

    Goes on from the shipped model. Parts of the pairs are left out in turn and judged by a model that has not seen
    them, beside the shipped one; with --out a model fitted to all of them is written, better or not: look first.
    Needs the training extra: make setup-train.

    \b
    Examples:
      bankai train progress --data my-pairs/
      bankai train progress --data my-pairs/ --out /srv/models
    """
    from bankai.cli.report import report
    from services.progress_monitor.cli.adapting import METRICS, adapt_and_judge

    report(adapt_and_judge(data, out, folds, steps), METRICS)
