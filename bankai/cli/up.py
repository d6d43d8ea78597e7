"""`bankai up`: everything on this machine, until Ctrl-C."""

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bankai.cli.connection import STATE_DIR

if TYPE_CHECKING:
    from bankai.cli.stack import Stack
    from bankai.cli.supervisor import Emit, Supervisor
    from bankai.inference.triton_server import TritonServer

COLOURS = (36, 33, 35, 32, 34)
"""ANSI colours of the processes' names on a terminal, in turn."""
TRITON_POLL_S = 0.5


def up(
    port: Annotated[
        int, typer.Option(min=0, max=65534, help="Port of the gateway; JSON is on the next one. 0 picks free ports.")
    ] = 50051,
    models_dir: Annotated[Path | None, typer.Option(help="The model repository; the product's own by default.")] = None,
    *,
    triton: Annotated[bool, typer.Option("--triton", help="Run the models on the Triton of `make triton`.")] = False,
) -> None:
    """Run the gateway and every service until Ctrl-C.

    Says when all are healthy, where they listen and where the developer's API key lies. A process that dies ends the
    rest, with its last log lines and exit code 1. Ctrl-C (or SIGTERM) lets calls finish, gateway first; a second one
    ends everything at once.

    \b
    Examples:
      bankai up
      bankai up --port 0              free ports, beside another one
      bankai up --triton              models on a real Triton (make triton sets it up)
      BANKAI_INTENT_LOG__LEVEL=debug bankai up
    """
    asyncio.run(_up(port, models_dir, triton=triton))


async def _up(port: int, models_dir: Path | None, *, triton: bool) -> None:
    from bankai.cli.stack import Inference, plan
    from bankai.cli.supervisor import Supervisor
    from bankai.settings import InferenceSettings

    signals = _signals()
    if triton and models_dir is None:
        # Named to the services, too: they read their tokenizer and labels there, and these must be of Triton's models.
        models_dir = InferenceSettings().models_dir
    with _triton(models_dir) if triton and models_dir else contextlib.nullcontext() as server:
        inference = Inference(models_dir, server.grpc_url if server else None)
        stack = plan(port, STATE_DIR, inference, console_logs=sys.stderr.isatty())
        async with Supervisor(stack.processes, _prefixed([process.name for process in stack.processes])) as supervisor:
            await _until_stopped(supervisor, stack, signals, server)


async def _until_stopped(
    supervisor: "Supervisor", stack: "Stack", signals: "asyncio.Queue[int]", server: "TritonServer | None"
) -> None:
    """Waits for the start, then for a signal or a death, and drains.

    Raises:
        FaultError: A process died, did not start to serve, or did not drain.
    """
    from bankai.errors import FaultError

    stop = asyncio.create_task(signals.get())
    started = asyncio.create_task(supervisor.started())
    death = asyncio.create_task(_death(supervisor, server))
    try:
        await asyncio.wait((stop, started), return_when=asyncio.FIRST_COMPLETED)
        if started.done():
            started.result()
            _announce(stack)
            await asyncio.wait((stop, death), return_when=asyncio.FIRST_COMPLETED)
        if death.done():
            death.result()
    finally:
        started.cancel()
        death.cancel()
        again = asyncio.create_task(signals.get()) if stop.done() else stop
        drain = asyncio.create_task(supervisor.drain())
        await asyncio.wait((drain, again), return_when=asyncio.FIRST_COMPLETED)
        if not drain.done():
            supervisor.kill()
        await drain
        again.cancel()
    if unclean := supervisor.unclean():
        raise FaultError("NOT_DRAINED", "; ".join(unclean))


async def _death(supervisor: "Supervisor", server: "TritonServer | None") -> None:
    """Raises a FaultError once a process has died."""
    from bankai.errors import FaultError

    async def triton_ends() -> None:
        while server is None or server.pid is not None:  # noqa: ASYNC110  # another process sets no event of ours
            await asyncio.sleep(TRITON_POLL_S)

    child, triton = asyncio.create_task(supervisor.first_death()), asyncio.create_task(triton_ends())
    try:
        await asyncio.wait((child, triton), return_when=asyncio.FIRST_COMPLETED)
    finally:
        child.cancel()
        triton.cancel()
    if triton.done():
        raise FaultError("PROCESS_DIED", f"Triton ended; see {_triton_log()}")
    raise child.result().obituary()


def _signals() -> "asyncio.Queue[int]":
    """The signals that ask to stop, as they come."""
    import signal

    signals: asyncio.Queue[int] = asyncio.Queue()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, signals.put_nowait, number)
    return signals


@contextlib.contextmanager
def _triton(models_dir: Path) -> "Iterator[TritonServer]":
    from bankai.inference.triton_server import TritonServer

    STATE_DIR.mkdir(parents=True, exist_ok=True)
    sys.stderr.write("starting Triton\n")
    with TritonServer(models_dir, log=_triton_log()) as server:
        yield server


def _triton_log() -> Path:
    return STATE_DIR / "triton.log"


def _announce(stack: "Stack") -> None:
    lines = [f"bankai is up: {stack.connection.address}"]
    if stack.http:
        lines.append(f"JSON:         http://{stack.http}")
    if stack.key_file is not None:
        lines.append(f"API key:      {stack.key_file} (send it as `authorization: Bearer <key>`; `bankai call` does)")
    if stack.http and stack.key_file is not None:
        lines.append(f"Try it:       {_curl(stack.http, stack.key_file)}")
    if (login := stack.console_login()) is not None:
        lines.append(f"Console:      {login} (good once, for five minutes; later sign in with the API key)")
    lines.append("Ctrl-C lets calls finish and stops.")
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def _curl(address: str, key_file: Path) -> str:
    return (
        f'curl http://{address}/v1/bankai.intent.v1.IntentService/Classify -H "x-api-key: $(cat {key_file})" '
        """--json '{"text": "我的卡丢了"}'"""
    )


def _prefixed(names: list[str]) -> "Emit":
    """Writes each line to stderr behind the name of the process that it comes from."""
    width = max(map(len, names))
    coloured = sys.stderr.isatty()

    def emit(name: str, line: str) -> None:
        prefix = f"{name:{width}} |"
        if coloured:
            prefix = f"\033[{COLOURS[names.index(name) % len(COLOURS)]}m{prefix}\033[0m"
        sys.stderr.write(f"{prefix} {line}\n")

    return emit
