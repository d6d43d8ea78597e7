"""A real Ray of two nodes on this machine, one of which is killed while it works."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql

from bankai.bulk import on_ray
from bankai.bulk.work import Outcome
from services.doc_extract.bulk import ExtractWork
from services.doc_extract.settings import DocExtractSettings
from tests.bankai.bulk.documents import notices

ray = pytest.importorskip("ray", reason="needs the extra of Ray: make setup-ray")
cluster_utils = pytest.importorskip("ray.cluster_utils")

# Ray leaves files and sockets to the end of the interpreter, and warns of its own deprecated settings.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(400),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::DeprecationWarning"),
]

DOCUMENTS = 40


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A cluster of a head and a second node, a core each; the driver is on the head."""
    monkeypatch.setenv("RAY_USAGE_STATS_ENABLED", "0")
    monkeypatch.setenv("RAY_worker_niceness", "0")  # else they stand behind whatever else the machine does
    cluster = cluster_utils.Cluster(initialize_head=True, head_node_args={"num_cpus": 1, "include_dashboard": False})
    cluster.add_node(num_cpus=1)
    ray.init(address=cluster.address, log_to_driver=False)
    try:
        cluster.wait_for_nodes()
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def test_a_node_that_is_killed_loses_nothing_and_repeats_nothing(nodes: Any, tmp_path: Path) -> None:
    source = tmp_path / "documents"
    notices(source, DOCUMENTS)
    settings = DocExtractSettings.model_validate({"storage": {"folder": tmp_path / "state"}, "batch": {"lease_s": 2.0}})
    work = ExtractWork(settings, str(source), "credit", "credit")
    outcomes: list[Outcome] = []
    some = threading.Event()

    def kill() -> None:
        some.wait(300)
        nodes.remove_node(nodes.worker_nodes.copy().pop(), allow_graceful=False)

    killer = threading.Thread(target=kill)
    killer.start()
    for outcome in on_ray.run(work, sorted(file.name for file in source.iterdir()), 2, None):
        outcomes.append(outcome)
        if len(outcomes) == 5:
            some.set()
    killer.join()
    assert len(nodes.list_all_nodes()) == 1
    assert sorted(outcome["item"] for outcome in outcomes) == sorted(file.name for file in source.iterdir())
    assert {outcome["outcome"] for outcome in outcomes} <= {"done", "done before"}
    engine = sql.create_engine(f"sqlite:///{tmp_path}/state/results.db")
    with engine.connect() as connection:
        assert (
            connection.scalar(sql.text("SELECT count(*) FROM doc_extract_documents WHERE state = 'done'")) == DOCUMENTS
        )
        states = connection.scalars(sql.text("SELECT state FROM doc_extract_documents")).all()
    engine.dispose()
    assert states == ["done"] * DOCUMENTS
