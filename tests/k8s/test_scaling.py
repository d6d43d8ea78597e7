"""Autoscaling asks for metrics that somebody exports, and for the right ones."""

import re
from typing import Any

import pytest
import yaml

from bankai.interceptors.metrics import IN_FLIGHT
from tests.k8s.manifests import K8S, TRITON_METRICS, Cluster, variant

ADAPTER = K8S / "components" / "monitoring" / "prometheus-adapter.yaml"

# Division of sums, and not the sum of divisions: each pod's own mean says nothing about how many waited.
_QUEUE = re.compile(
    r"sum\(rate\(nv_inference_queue_duration_us\{[^}]*\}\[\w+\]\)\)(?: by \(model\))? "
    r"/ clamp_min\(sum\(rate\(nv_inference_request_success\{[^}]*\}\[\w+\]\)\)(?: by \(model\))?, 0\.001\)"
)


@pytest.fixture(scope="session")
def keda(prod: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Cluster:
    return variant("keda", tmp_path_factory.mktemp("keda"))


def _rules(kind: str) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = yaml.safe_load(ADAPTER.read_text(encoding="utf-8"))["rules"][kind]
    return rules


def test_the_code_exports_what_the_adapter_reads() -> None:
    """The gateway and the services have it from `bankai.interceptors`, under this name."""
    (rule,) = _rules("custom")
    (family,) = IN_FLIGHT.collect()
    assert re.fullmatch(rule["name"]["matches"], family.name)
    assert rule["seriesQuery"].startswith(f"{family.name}{{")
    IN_FLIGHT.labels("bank.Service", "Method", "unary").set(0)
    (sample, *_) = next(iter(IN_FLIGHT.collect())).samples
    assert set(re.findall(r"(grpc_\w+)!~", rule["metricsQuery"])) <= sample.labels.keys()


def test_pods_are_scaled_by_a_metric_that_they_export(prod: Cluster) -> None:
    (exported,) = IN_FLIGHT.collect()
    scaled = {scaler["metadata"]["name"]: scaler["spec"] for scaler in prod.all("HorizontalPodAutoscaler")}
    assert scaled.keys() == {workload.name for workload in prod.workloads} - {"edge"}
    for scaler, spec in scaled.items():
        asked = {metric["pods"]["metric"]["name"] for metric in spec["metrics"] if metric["type"] == "Pods"}
        assert asked == (set() if scaler == "triton" else {exported.name})


def test_triton_is_scaled_by_the_time_that_a_request_waits(prod: Cluster) -> None:
    (rule,) = _rules("external")
    assert _QUEUE.fullmatch(rule["metricsQuery"].strip())
    for metric in prod.one("HorizontalPodAutoscaler", "triton")["spec"]["metrics"]:
        asked = metric["external"]
        assert asked["metric"]["name"] == rule["name"]["as"]
        assert asked["target"]["type"] == "Value"  # a mean must not be divided by the pods once more


def test_models_that_scale_triton_are_there(prod: Cluster, keda: Cluster) -> None:
    metrics = prod.one("HorizontalPodAutoscaler", "triton")["spec"]["metrics"]
    models = [metric["external"]["metric"]["selector"]["matchLabels"]["model"] for metric in metrics]
    queries = [trigger["metadata"]["query"] for trigger in keda.one("ScaledObject", "triton")["spec"]["triggers"]]
    assert models == [re.findall(r'model="(\w+)"', query)[0] for query in queries]
    for model in models:
        assert (K8S.parent / "models" / model / "config.pbtxt").is_file()


def test_keda_asks_for_the_same(prod: Cluster, keda: Cluster) -> None:
    for name in ("gateway", "intent", "doc-extract", "progress-monitor"):
        theirs, ours = keda.one("ScaledObject", name)["spec"], prod.one("HorizontalPodAutoscaler", name)["spec"]
        assert (theirs["minReplicaCount"], theirs["maxReplicaCount"]) == (ours["minReplicas"], ours["maxReplicas"])
        assert theirs["scaleTargetRef"] == ours["scaleTargetRef"]
        calls = theirs["triggers"][0]["metadata"]
        assert calls["query"].startswith("sum(grpc_server_in_flight{")
        assert f'pod=~"{name}-.*"' in calls["query"]
        assert calls["threshold"] == ours["metrics"][0]["pods"]["target"]["averageValue"]
    for trigger in keda.one("ScaledObject", "triton")["spec"]["triggers"]:
        assert _QUEUE.fullmatch(trigger["metadata"]["query"].strip())


def test_who_is_scaled_has_no_number_of_its_own(cluster: Cluster) -> None:
    """An apply would set it back."""
    scaled = {
        scaler["spec"]["scaleTargetRef"]["name"] for scaler in cluster.all("HorizontalPodAutoscaler", "ScaledObject")
    }
    for workload in cluster.workloads:
        assert ("replicas" in workload.manifest["spec"]) == (workload.name not in scaled), workload.name
        kinds = {
            scaler["spec"]["scaleTargetRef"]["kind"]
            for scaler in cluster.all("HorizontalPodAutoscaler", "ScaledObject")
            if scaler["spec"]["scaleTargetRef"]["name"] == workload.name
        }
        assert kinds <= {workload.manifest["kind"]}


def test_the_adapter_reads_what_a_real_triton_is_known_to_export() -> None:
    """`test_triton` asks one."""
    assert set(re.findall(r"\bnv_\w+", ADAPTER.read_text(encoding="utf-8"))) == TRITON_METRICS
