"""A repository of tiny models, and a real Triton that serves it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bankai.inference.triton_server import TritonInstallation, TritonServer
from tests.bankai.inference import models

# One run at a time and at most two in the queue, whatever their deadlines.
_NARROW = """
instance_group [ { count: 1 } ]
dynamic_batching {
  preferred_batch_size: 1
  default_queue_policy { allow_timeout_override: true max_queue_size: 2 }
}
"""
_IMPATIENT = """
instance_group [ { count: 1 } ]
dynamic_batching { preferred_batch_size: 1 default_queue_policy { default_timeout_microseconds: 100000 } }
"""


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Models that both backends serve; tests must leave them as they are."""
    root = tmp_path_factory.mktemp("models")
    models.double().write(root, 1, 3)
    models.double("pinned", settings="version_policy { specific { versions: [1] } }").write(root, 1, 3)
    models.double("flat", max_batch_size=0, settings="").write(root)
    models.lookup().write(root)
    models.spin("narrow", _NARROW).write(root)
    models.spin("impatient", _IMPATIENT).write(root)
    return root


@pytest.fixture(scope="session")
def triton_installation() -> TritonInstallation:
    installation = TritonInstallation()
    if not installation.complete:
        pytest.skip("there is no Triton server: run `make triton`")
    return installation


@pytest.fixture(scope="session")
def triton(
    repository: Path, triton_installation: TritonInstallation, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[TritonServer]:
    """A running server; tests must leave it running with every model loaded."""
    log = tmp_path_factory.mktemp("triton") / "log.txt"
    with TritonServer(repository, log=log, installation=triton_installation) as server:
        yield server
