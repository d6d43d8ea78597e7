"""The command line that every benchmark shares: progress on stderr, one JSON object as the last line of stdout."""

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from typing import Any

from bankai.errors import BankaiError

Report = dict[str, Any]
Body = Callable[[argparse.Namespace], Coroutine[Any, Any, Report]]


def arguments(description: str | None) -> argparse.ArgumentParser:
    """A parser with the options that all benchmarks have.

    Args:
        description: What the benchmark measures; its module's docstring.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="a few seconds only: shows that it works, measures nothing"
    )
    return parser


def run(name: str, body: Body, options: argparse.Namespace) -> Report:
    """Runs a benchmark and prints what it reports.

    Args:
        name: Name of the benchmark.
        body: Measures and reports.
        options: Parsed arguments.

    Returns:
        What it reports.

    Raises:
        SystemExit: With code 1, after a line on stderr, where something that it needs does not run, or on SIGTERM.
    """
    # Load that was there before says how far a result can be trusted.
    load_before = os.getloadavg()[0]
    try:
        report = asyncio.run(_terminable(body(options)))
    except BankaiError as error:
        sys.exit(f"{name}: {error.message}")
    except asyncio.CancelledError:
        sys.exit(f"{name}: terminated")
    head = {"benchmark": name, "quick": options.quick, "cores": os.cpu_count(), "load_before": load_before}
    print(json.dumps(rounded(head | report)))
    return report


async def _terminable(measuring: Coroutine[Any, Any, Report]) -> Report:
    """Cancels it on SIGTERM, so that what was started is stopped."""
    task = asyncio.create_task(measuring)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


def say(line: str) -> None:
    """Tells people how far it is."""
    print(line, file=sys.stderr, flush=True)


def rounded(value: Any) -> Any:
    """The same with every float cut to four significant digits: more is noise."""
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return float(f"{value:.4g}") if isinstance(value, float) else value
