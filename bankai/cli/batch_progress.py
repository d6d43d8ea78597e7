"""How far bulk work is, on a terminal."""

from collections.abc import Iterable, Iterator

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from bankai.bulk.work import Outcome


class _Rate(ProgressColumn):
    """Items a second, of late."""

    def render(self, task: Task) -> Text:
        """See `ProgressColumn`."""
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:.1f}/s")


def shown(outcomes: Iterable[Outcome], total: int, doing: str) -> Iterator[Outcome]:
    """Passes outcomes on behind a progress bar on stderr, with those that failed above it.

    Args:
        outcomes: What became of each item.
        total: Items.
        doing: What is done to them, before the bar.
    """
    console = Console(stderr=True, highlight=False)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(doing, total=total)
        for outcome in outcomes:
            if "reason" in outcome:
                console.print(
                    f"{outcome['item']}: {outcome['reason']}: {outcome['message']}", markup=False, style="red"
                )
            bar.advance(task)
            yield outcome
