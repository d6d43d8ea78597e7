"""How commands print: tables, and the progress and metrics of evaluations."""

import json
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from rich.console import Console

Item = TypeVar("Item")

DIGITS = 4
PIPE_WIDTH = 120
"""Columns where no terminal says how many it has."""


def screen() -> "Console":
    """Where to print for people."""
    from rich.console import Console

    console = Console(highlight=False)
    if not console.is_terminal and "COLUMNS" not in os.environ:
        console.width = PIPE_WIDTH
    return console


def progress(items: Sequence[Item], doing: str) -> Iterator[Item]:
    """Yields the items behind a progress bar on stderr."""
    from rich.console import Console
    from rich.progress import track

    yield from track(items, doing, console=Console(file=sys.stderr), transient=False)


def report(metrics: Mapping[str, Any], meanings: Iterable[tuple[str, str]]) -> None:
    """Prints the metrics as a table for people and, as the last line, as JSON for machines.

    Args:
        metrics: The metrics by name; None where the data do not define one. Those without a meaning, such as metrics
            by label in a mapping of their own, stand in the JSON alone.
        meanings: What each is, in the table's order.
    """
    from rich.table import Table

    rounded = {name: _rounded(value) for name, value in metrics.items()}
    table = Table("metric", "value", "what it is")
    table.columns[1].justify = "right"
    for name, meaning in meanings:
        value = rounded[name]
        table.add_row(name, "-" if value is None else f"{value:,}", meaning)
    screen().print(table)
    sys.stdout.write(json.dumps(rounded) + "\n")


def _rounded(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _rounded(inner) for name, inner in value.items()}
    return round(value, DIGITS) if isinstance(value, float) else value
