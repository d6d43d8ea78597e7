"""What is read from the manifests is what they say; what they do not say is what the code does by default."""

import subprocess
from pathlib import Path

import pytest

from bankai.capacity import day, live
from bankai.capacity.autoscaler import Policy
from bankai.capacity.cluster import PROD, Cluster, read_cluster
from bankai.capacity.demand import Demand
from bankai.errors import InvalidRequestError
from bankai.inference.repository import ModelRepository
from bankai.settings import InferenceSettings, ServerSettings
from services.doc_extract.settings import BatchSettings, LimitSettings
from services.doc_extract.settings import StorageSettings as DocumentStorage
from services.intent.settings import StreamSettings
from services.progress_monitor.settings import RescanSettings
from tests.k8s.manifests import kubectl, overlay


def test_autoscaling_is_that_of_the_manifests(cluster: Cluster) -> None:
    for scaler in overlay("prod").all("HorizontalPodAutoscaler"):
        spec, read = scaler["spec"], cluster[scaler["metadata"]["name"]]
        assert (read.least, read.most) == (spec["minReplicas"], spec["maxReplicas"])
        assert len(read.targets) == len(spec["metrics"])
        assert read.down.window_s == spec["behavior"]["scaleDown"]["stabilizationWindowSeconds"]
        assert read.up.policies[0] == Policy(percent=True, value=100, period_s=30)
    assert cluster["intent"].target("cpu") == 0.7
    assert cluster["gateway"].target("in_flight") == 1000
    assert [target.value for target in cluster["triton"].targets] == [0.005, 0.1, 1.0]
    assert cluster.scrape_s == 15


def test_resources_and_settings(cluster: Cluster) -> None:
    gateway, intent = cluster["gateway"], cluster["intent"]
    assert (gateway.cores, gateway.cores_limit, gateway.memory_gib, gateway.disk_gib) == (0.5, 1.5, 0.25, 20)
    assert intent.setting("MAX_CONNECTION_AGE_S", 0) == 120
    assert (intent.on_triton, cluster["doc-extract"].on_triton) == (False, True)
    assert cluster["triton"].gpus == 1


def test_a_file_says_the_same(cluster: Cluster, tmp_path: Path) -> None:
    file = tmp_path / "prod.yaml"
    with file.open("wb") as out:
        subprocess.run([str(kubectl()), "kustomize", str(PROD)], stdout=out, check=True)
    assert read_cluster(file) == cluster


def test_what_is_not_there(tmp_path: Path) -> None:
    file = tmp_path / "nothing.yaml"
    file.write_text("")
    with pytest.raises(InvalidRequestError, match="has no workload doc-extract"):
        read_cluster(file)


def test_defaults_are_those_of_the_settings() -> None:
    limits, models = LimitSettings(), ModelRepository(InferenceSettings().models_dir)
    assert limits.extractions == day.EXTRACTIONS
    assert limits.extractions_waiting == day.EXTRACTIONS_WAITING
    assert BatchSettings().workers == day.BATCH_WORKERS
    assert RescanSettings().workers == day.RESCAN_WORKERS
    assert StreamSettings().final_budget_s == live.FINAL_BUDGET_S
    assert ServerSettings().max_concurrent_rpcs == live.MAX_CONCURRENT_RPCS
    assert models.config("intent").instances == live.MODEL_THREADS
    assert Demand(1, 1, 1).retention_days == DocumentStorage().retention_days
