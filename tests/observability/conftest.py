"""The product with its metrics on, and a real Prometheus that scrapes it by our configuration."""

import json
import os
import re
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bankai.cli.stack import plan
from bankai.loopback import HOST, free_ports
from tests.cli.conftest import command
from tests.docs.pages import ROOT
from tests.observability.files import PROMETHEUS
from tests.supervised import supervised
from tools.prometheus_setup import program

WAIT_S = 60.0


@dataclass(frozen=True)
class Product:
    """A running product.

    Attributes:
        targets: host:port of each process's metrics, by its job.
        bankai: Runs a command against it.
    """

    targets: dict[str, str]
    bankai: Callable[..., None]


class Prometheus:
    """A running Prometheus.

    Args:
        address: host:port where it answers.
    """

    def __init__(self, address: str) -> None:
        self._address = address

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer of its API."""
        url = f"http://{self._address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=10) as answer:
            return json.load(answer)["data"]

    def values(self, query: str) -> list[float]:
        """What a query gives now."""
        return [float(each["value"][1]) for each in self.ask("query", query=query)["result"]]

    def wait_for(self, condition: Callable[[], bool]) -> None:
        """Waits until something holds, asking again and again."""
        deadline = time.monotonic() + WAIT_S
        while not self._holds(condition):
            assert time.monotonic() < deadline, "Prometheus does not show what was waited for"
            time.sleep(0.2)

    @staticmethod
    def _holds(condition: Callable[[], bool]) -> bool:
        try:
            return condition()
        except urllib.error.URLError:  # it is starting
            return False


@pytest.fixture(scope="session")
def binary() -> Path:
    """Prometheus's program; asked for before the product is started, which takes its time."""
    found = program("prometheus")
    if found is None:
        pytest.skip("there is no Prometheus: run `make prometheus`")
    return found


@pytest.fixture(scope="session")
def product(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """The gateway and all services, with the shipped models."""
    stack = plan(0, tmp_path_factory.mktemp("state"))
    ports = free_ports(len(stack.processes))
    targets = {process.name: f"{HOST}:{port}" for process, port in zip(stack.processes, ports, strict=True)}
    processes = [
        replace(
            process,
            environment={
                **process.environment,
                f"BANKAI_{process.name.upper()}_SERVER__METRICS_LISTEN": targets[process.name],
            },
        )
        for process in stack.processes
    ]

    def bankai(*arguments: str | Path) -> None:
        done = subprocess.run(
            command(*arguments, "--address", stack.connection.address, "--api-key-file", str(stack.key_file)),
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        assert done.returncode == 0, done.stderr

    with supervised(processes):
        yield Product(targets, bankai)


@pytest.fixture(scope="session")
def prometheus(binary: Path, product: Product, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    """A Prometheus with our configuration, in a hurry: other targets, and every interval a second."""
    folder = tmp_path_factory.mktemp("prometheus")
    address = f"{HOST}:{free_ports(1)[0]}"
    ours = shutil.copytree(PROMETHEUS, folder / "ours")
    for file in (ours / "prometheus.yaml", *(ours / "rules").iterdir()):
        text = re.sub(r"(\w*interval): \w+", r"\1: 1s", file.read_text(encoding="utf-8"))
        file.write_text(text.replace(f"{HOST}:9090", address), encoding="utf-8")
    groups = [{"labels": {"job": job}, "targets": [target]} for job, target in product.targets.items()]
    (ours / "targets.yaml").write_text(yaml.safe_dump(groups), encoding="utf-8")
    options = [f"--config.file={ours / 'prometheus.yaml'}", f"--storage.tsdb.path={folder / 'data'}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([binary, *options, f"--web.listen-address={address}"], stdout=log, stderr=log)
    try:
        running = Prometheus(address)
        running.wait_for(lambda: running.values("up") == [1.0] * (len(product.targets) + 1))
        yield running
    finally:
        process.terminate()
        process.wait(timeout=30)
