"""Processes that run for the tests of a module or a session, which have no event loop of their own."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bankai.cli.supervisor import ProcessSpec, Supervisor


@contextmanager
def supervised(processes: Sequence[ProcessSpec]) -> Iterator[None]:
    """Runs processes within the context, from when all of them serve."""
    with asyncio.Runner() as runner:
        supervisor = Supervisor(processes, lambda _name, _line: None)
        runner.run(supervisor.__aenter__())
        try:
            runner.run(supervisor.started())
            yield
        finally:
            runner.run(supervisor.__aexit__(None, None, None))
