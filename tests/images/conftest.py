from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import pytest

from tests.images.node import Node, Pod
from tests.k8s.manifests import PROCESSES, Cluster, made
from tests.k8s.secret_files import make_secrets
from tools.buildah import BASES, mounted
from tools.images import NAMES, build, tag, take_stock
from tools.images_setup import missing


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leaves what needs built images out, unless it is asked for: building them takes minutes."""
    if "images" not in config.option.markexpr:
        for item in items:
            if item.get_closest_marker("images"):
                item.add_marker(pytest.mark.skip("images are built and started by `make ops-check`"))


@pytest.fixture(scope="session", params=NAMES)
def image(request: pytest.FixtureRequest) -> str:
    """Every image by its name, built."""
    return built(request.param)


@pytest.fixture(scope="session")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return made("dev", tmp_path_factory.mktemp("k8s"))


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return made("prod", tmp_path_factory.mktemp("k8s"))


@pytest.fixture(scope="session")
def copying(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return made("models-copy", tmp_path_factory.mktemp("k8s"))


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """Where the API key of each channel of the example policy is."""
    folder = tmp_path_factory.mktemp("keys")
    return {channel: folder / channel for channel in ("ivr", "core-banking", "risk-desk")}


@pytest.fixture(scope="session")
def node(dev: Cluster, keys: Mapping[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Node]:
    """A node with the Secrets of the overlay dev."""
    built("models")
    secrets = make_secrets(tmp_path_factory.mktemp("secrets"), keys)
    with Node(dev, secrets, tmp_path_factory.mktemp("node")) as node:
        yield node


@pytest.fixture
def mtls(tmp_path: Path) -> Iterator[Node]:
    """A node with the Secrets of the component mtls."""
    for name in (*PROCESSES, "models"):
        built(name)
    folders = [tmp_path / name for name in ("k8s", "secrets", "node")]
    for folder in folders:
        folder.mkdir()
    manifests, secrets, place = folders
    with Node(made("mtls", manifests), make_secrets(secrets, {"ivr": secrets / "key"}), place) as node:
        yield node


@pytest.fixture(scope="session")
def pods(node: Node) -> Mapping[str, Pod]:
    """A pod of each of our workloads, by name."""
    return {built(workload.name): node.run(workload) for workload in node.cluster.processes}


@cache
def built(name: str) -> str:
    """Builds an image on the bases of `tools.images_setup`, and gives its name; skips where they are not."""
    if missing():
        pytest.skip("there is nothing to build images with: run `make ops-check` as root on Debian")
    build(name, BASES)
    with mounted(tag(name)) as root:
        take_stock(name, root)
    return name
