"""Puts the commands together and turns errors into one line and an exit code."""

import sys
from typing import NoReturn

import typer

from bankai.cli.audit import audit
from bankai.cli.backup import backup
from bankai.cli.batch import batch
from bankai.cli.capacity import capacity
from bankai.cli.data import data
from bankai.cli.demo import demo
from bankai.cli.gateway import gateway
from bankai.cli.models import models
from bankai.cli.registry import CAPABILITIES
from bankai.cli.up import up

HELP = """AI capabilities for banks behind one gRPC gateway.

\b
  bankai demo                  see it work, nothing to set up
  bankai up                    the gateway and every service, until Ctrl-C
  bankai call --live           talk to it as a caller would
  bankai eval intent my.jsonl  judge the model on your own data

Every command has --help with examples. Exit codes: 0 done, 1 failed, 2 the input or the usage is wrong.
"""

EVALUATION_HELP = """Judge the models on labelled data of your own.

Every evaluation prints a progress bar on stderr, a table, and as the last line of stdout one JSON object of metrics
(null where the data do not define one).
"""


def build() -> typer.Typer:
    """The whole command."""
    app = _group(HELP)
    evaluation = _group(EVALUATION_HELP)
    app.command()(demo)
    app.command()(up)
    for capability in CAPABILITIES:
        capability.commands().register(app, evaluation)
    app.add_typer(evaluation, name="eval")
    app.add_typer(models(), name="models")
    app.add_typer(gateway(), name="gateway")
    app.add_typer(audit(), name="audit")
    app.add_typer(backup(), name="backup")
    app.add_typer(batch(), name="batch")
    app.add_typer(data(), name="data")
    app.add_typer(capacity(), name="capacity")
    return app


def main() -> NoReturn:
    """Runs the command of this process's arguments.

    Raises:
        SystemExit: Always, with the exit code.
    """
    try:
        build()()
    except Exception as error:
        # Imported here: it brings grpc along, which `--help` can do without.
        from bankai.errors import BankaiError, InvalidRequestError

        if not isinstance(error, BankaiError):
            raise
        sys.stderr.write(f"bankai: {error.message}\n")
        for violation in error.violations:
            sys.stderr.write(f"  {violation.field}: {violation.description}\n")
        sys.exit(2 if isinstance(error, InvalidRequestError) else 1)
    sys.exit(0)


def _group(text: str) -> typer.Typer:
    return typer.Typer(
        help=text,
        no_args_is_help=True,
        add_completion=False,
        # Plain help loads fast and keeps the line breaks of the examples.
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
