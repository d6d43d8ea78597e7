import pytest

from tests.k8s.manifests import OVERLAYS, VARIANTS, Cluster, made


@pytest.fixture(scope="session", params=[*OVERLAYS, *VARIANTS])
def cluster(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    """Every overlay, and the components that none of them takes."""
    return made(request.param, tmp_path_factory.mktemp("k8s"))


@pytest.fixture(scope="session")
def prod(tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return made("prod", tmp_path_factory.mktemp("k8s"))
