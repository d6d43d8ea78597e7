"""Every command teaches, and at once."""

import pytest
from typer.main import get_command

from bankai.cli.app import build
from tests.cli.conftest import Run

COMMANDS = [
    ["up"],
    ["demo"],
    ["call"],
    ["intents"],
    ["extract"],
    ["schemas", "list"],
    ["schemas", "put"],
    ["eval", "intent"],
    ["eval", "calls"],
    ["eval", "text-intent"],
    ["eval", "documents"],
    ["eval", "sentences"],
    ["eval", "change"],
    ["eval", "progress"],
    ["progress", "add"],
    ["progress", "observe"],
    ["progress", "import-stac"],
    ["progress", "assess"],
    ["progress", "timeline"],
    ["progress", "report"],
    ["progress", "compare"],
    ["train", "progress"],
    ["drift", "reference"],
    ["models", "list"],
    ["models", "status"],
    ["models", "promote"],
    ["models", "rollback"],
    ["gateway", "new-key"],
    ["gateway", "revoke-key"],
    ["gateway", "new-vouching-key"],
    ["gateway", "new-console-key"],
    ["gateway", "check-policy"],
    ["gateway", "explain"],
    ["audit", "new-key"],
    ["audit", "verify"],
    ["audit", "export"],
    ["backup", "create"],
    ["backup", "verify"],
    ["backup", "restore"],
    ["batch", "extract"],
    ["batch", "rescan"],
    ["backup", "check"],
    ["data", "sweep"],
    ["data", "erase"],
    ["capacity", "plan"],
    ["capacity", "simulate"],
]


def paths(command: object, above: tuple[str, ...] = ()) -> list[list[str]]:
    below = getattr(command, "commands", None)
    if below is None:
        return [list(above)]
    return [path for name in below for path in paths(below[name], (*above, name))]


def test_the_list_above_is_complete() -> None:
    assert sorted(paths(get_command(build()))) == sorted(COMMANDS)


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_every_command_shows_an_example(bankai: Run, arguments: list[str]) -> None:
    done = bankai(*arguments, "--help")
    assert done.returncode == 0
    assert "Example" in done.stdout
    assert "  bankai " + " ".join(arguments) in done.stdout


def test_help_imports_nothing_heavy(bankai: Run) -> None:
    """So that it answers in about 0.3 s: grpc or numpy alone would cost a second."""
    done = bankai("--help", PYTHONPROFILEIMPORTTIME="1")
    imported = {line.rsplit("|", 1)[-1].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert "typer" in imported
    assert not imported & {"grpc", "numpy", "pydantic", "onnxruntime", "rich.console"}


@pytest.mark.parametrize("arguments", [["fly"], ["eval", "intent"], ["call", "--port", "1"], ["up", "--port", "70000"]])
def test_wrong_usage_exits_2(bankai: Run, arguments: list[str]) -> None:
    done = bankai(*arguments)
    assert done.returncode == 2
    assert "Error: " in done.stderr
    assert "Traceback" not in done.stderr
