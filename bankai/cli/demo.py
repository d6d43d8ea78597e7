"""`bankai demo`: every capability at work, nothing to set up."""

import asyncio
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console


def demo() -> None:
    """See it work on sample calls.

    Starts the gateway and the services, streams sample calls through the gateway, and stops everything again. Takes
    free ports and a temporary API key, and leaves nothing behind. On a terminal it goes on until Ctrl-C, so that what
    it did can be seen in the console.

    \b
    Example:
      bankai demo
    """
    asyncio.run(_demo())


async def _demo() -> None:
    from bankai.cli.registry import CAPABILITIES
    from bankai.cli.report import screen
    from bankai.cli.stack import plan
    from bankai.cli.supervisor import Supervisor

    console = screen()
    with tempfile.TemporaryDirectory(prefix="bankai-demo-") as state_dir:
        stack = plan(0, Path(state_dir))
        async with Supervisor(stack.processes, lambda _name, _line: None) as supervisor:
            with console.status("Starting the gateway and the services"):
                await supervisor.started()
            for capability in CAPABILITIES:
                await capability.commands().demo(stack.connection, console)
            if sys.stdin.isatty() and console.is_terminal and (login := stack.console_login()) is not None:
                await _shown(login, console)
            await supervisor.drain()
    console.print("\n[bold]What to try next[/bold]")
    for command, what in (
        ("bankai up", "keep it running, for gRPC and for JSON by curl"),
        ("bankai call --live", "talk to it yourself, beside `bankai up` in another terminal"),
        ("bankai call my-call.txt", 'a transcript of yours: lines of "caller: ..." and "agent: ..."'),
        ("bankai extract my.pdf", "a document of yours; --annotate my.png draws its fields on the page"),
        ("bankai progress add --help", "register a construction site of yours"),
        ("bankai intents", "what it can tell apart"),
        ("bankai eval intent my.jsonl", "judge it on your own data"),
    ):
        console.print(f"  [cyan]{command:28}[/cyan] {what}")


async def _shown(login: str, console: "Console") -> None:
    """Says where the console is, and waits until Ctrl-C."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    console.print("\n[bold]The same in the console[/bold], signed in by a login that is good once, for five minutes:")
    console.print(login, soft_wrap=True, style="cyan", markup=False)
    console.print("Ctrl-C ends the demo.")
    await stop.wait()
