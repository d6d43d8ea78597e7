"""The capabilities that the command line knows. A new one adds one line to `CAPABILITIES`."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from bankai.backup.holdings import Holdings
    from bankai.cli.connection import Connection


class Commands(Protocol):
    """What the package `services.<name>.cli` of a capability offers."""

    def register(self, app: typer.Typer, evaluation_group: typer.Typer) -> None:
        """Adds the capability's commands to `bankai` and to `bankai eval`."""

    async def demo(self, connection: "Connection", console: "Console") -> None:
        """Shows the capability on a sample through a running gateway, in a few seconds."""


@dataclass(frozen=True)
class Capability:
    """One capability.

    Attributes:
        name: Names its package `services.<name>` and its settings `BANKAI_<NAME>_...`.
        services: Full names of the gRPC services that it serves, for routes and health.
        port: Where it listens unless told otherwise.
        folder: Its setting that names the folder where it keeps its state; empty where it keeps none.
    """

    name: str
    services: Sequence[str]
    port: int
    folder: str = ""

    def commands(self) -> Commands:
        """Its own commands."""
        return cast("Commands", import_module(f"services.{self.name}.cli"))

    def holdings(self) -> "Holdings | None":
        """What it keeps by the settings in the environment; None where it keeps nothing."""
        return import_module(f"services.{self.name}.holdings").holdings() if self.folder else None


CAPABILITIES = (
    Capability("intent", ("bankai.intent.v1.IntentService",), port=50061),
    Capability(
        "doc_extract",
        ("bankai.doc_extract.v1.DocExtractService", "google.longrunning.Operations"),
        port=50062,
        folder="STORAGE__FOLDER",
    ),
    Capability(
        "progress_monitor",
        ("bankai.progress.v1.ProgressService",),
        port=50063,
        folder="STORAGE__FOLDER",
    ),
)
