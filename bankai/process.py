"""The life of a process: settings, logs, traces, and serving until a signal."""

import sys
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

import structlog

from bankai.errors import BankaiError, FaultError
from bankai.logging import configure
from bankai.server import run
from bankai.settings import ProcessSettings, describe, load
from bankai.telemetry import configure_tracing

Settings = TypeVar("Settings", bound=ProcessSettings)


def main(settings_class: type[Settings], name: str, serve: Callable[[Settings], Coroutine[Any, Any, None]]) -> None:
    """Serves until SIGTERM or SIGINT.

    Args:
        settings_class: The process's settings, read from the environment.
        name: Name of the process in logs and, behind "bankai-", in traces.
        serve: Serves until a signal; raises BankaiError or OSError where it cannot.

    Raises:
        SystemExit: With code 2 for a wrong setting, 1 where it cannot serve.
    """
    settings = load(settings_class)
    configure(settings.log, name)
    flush_spans = configure_tracing(settings.telemetry, f"bankai-{name}")
    structlog.get_logger(__name__).info("starting", settings=describe(settings))
    try:
        run(serve(settings))
    except BankaiError as error:
        _give_up(error)
    except OSError as error:
        _give_up(FaultError("ADDRESS_UNUSABLE", str(error)))
    finally:
        flush_spans()


def _give_up(error: BankaiError) -> None:
    """Ends the process with what an operator has to mend, which needs no traceback."""
    structlog.get_logger(__name__).error("cannot serve", reason=error.reason, problem=error.message)
    sys.exit(1)
