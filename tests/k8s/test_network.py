"""The networks let through what the design draws, and nothing else."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
import yaml

from tests.k8s.manifests import RAY_PODS, Cluster, Manifest, Workload

SERVICES = {"intent", "doc-extract", "progress-monitor"}


def _selects(selector: Manifest, labels: Mapping[str, str]) -> bool:
    """What Kubernetes' label selectors mean, as far as ours go."""
    for expression in selector.get("matchExpressions", ()):
        assert expression["operator"] == "In"
        if labels.get(expression["key"]) not in expression["values"]:
            return False
    return bool(selector.get("matchLabels", {}).items() <= labels.items())


def _policies(cluster: Cluster) -> Iterator[Manifest]:
    """Policies of pods that we run; KubeRay runs those of the Ray cluster, see test_ray.py."""
    for policy in cluster.all("NetworkPolicy"):
        if policy["spec"]["podSelector"].get("matchLabels") != RAY_PODS:
            yield policy


def _ours(cluster: Cluster, selector: Manifest) -> list[Workload]:
    return [workload for workload in (*cluster.workloads, *cluster.jobs) if _selects(selector, workload.labels)]


def _rules(policy: Manifest) -> Iterator[tuple[str, list[Manifest], list[Manifest]]]:
    """(direction, peers, ports) of each rule."""
    for rule in policy["spec"].get("ingress", ()):
        yield "in", rule.get("from", []), rule["ports"]
    for rule in policy["spec"].get("egress", ()):
        yield "out", rule["to"], rule["ports"]


def _arrows(cluster: Cluster) -> dict[str, set[tuple[str, str, int | str]]]:
    """(from, to, port) of our own pods, as the side that sends and the side that receives allow it."""
    allowed: dict[str, set[tuple[str, str, int | str]]] = {"in": set(), "out": set()}
    for policy in cluster.all("NetworkPolicy"):
        for workload in _ours(cluster, policy["spec"]["podSelector"]):
            for direction, peers, ports in _rules(policy):
                for peer in peers:
                    if set(peer) != {"podSelector"}:
                        continue
                    for other in _ours(cluster, peer["podSelector"]):
                        ends = (other.name, workload.name) if direction == "in" else (workload.name, other.name)
                        allowed[direction] |= {(*ends, port["port"]) for port in ports}
    return allowed


def test_what_is_not_allowed_is_denied(cluster: Cluster) -> None:
    spec = cluster.one("NetworkPolicy", "default-deny")["spec"]
    assert spec == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_every_policy_is_about_pods_that_are_there(cluster: Cluster) -> None:
    for policy in _policies(cluster):
        selector = policy["spec"]["podSelector"]
        assert not selector or _ours(cluster, selector), policy["metadata"]["name"]
        for expression in selector.get("matchExpressions", ()):
            names = {workload.name for workload in cluster.workloads}
            assert set(expression["values"]) <= names, policy["metadata"]["name"]
        for _, peers, _ports in _rules(policy):
            for peer in peers:
                if set(peer) == {"podSelector"}:
                    assert _ours(cluster, peer["podSelector"]), policy["metadata"]["name"]


def test_whoever_may_send_is_also_let_in(cluster: Cluster) -> None:
    arrows = _arrows(cluster)
    assert arrows["in"] == arrows["out"]


def test_the_arrows_are_those_of_the_design(cluster: Cluster) -> None:
    expected: set[tuple[str, str, int | str]] = {
        ("gateway", "intent", 50061),
        ("gateway", "doc-extract", 50062),
        ("gateway", "progress-monitor", 50063),
    }
    names = {workload.name for workload in cluster.workloads}
    if "triton" in names:
        expected |= {(service, "triton", 8001) for service in SERVICES}
    if "edge" in names:
        expected |= {("edge", "gateway", 50051), ("edge", "gateway", 50052)}
    assert _arrows(cluster)["in"] == expected


def test_ports_of_rules_are_ports_of_pods(cluster: Cluster) -> None:
    for policy in _policies(cluster):
        for direction, _, ports in _rules(policy):
            if direction == "in":
                for workload in _ours(cluster, policy["spec"]["podSelector"]):
                    known = {*workload.ports, *workload.ports.values()}
                    assert {port["port"] for port in ports} <= known, policy["metadata"]["name"]


def test_everybody_finds_names(cluster: Cluster) -> None:
    spec = cluster.one("NetworkPolicy", "to-dns")["spec"]
    assert spec["podSelector"] == {}
    assert {(port["protocol"], port["port"]) for port in spec["egress"][0]["ports"]} == {("UDP", 53), ("TCP", 53)}


def test_routes_lead_where_the_gateway_may_go(cluster: Cluster) -> None:
    routes: Mapping[str, Any] = yaml.safe_load(cluster.one("ConfigMap", "gateway-routes")["data"]["routes.yaml"])
    for target in routes.values():
        host, _, port = target.removeprefix("dns:///").rpartition(":")
        name, namespace, kind = host.split(".")
        assert (namespace, kind) == (cluster.one("Service", name)["metadata"]["namespace"], "svc")
        assert ("gateway", name, int(port)) in _arrows(cluster)["out"]


@pytest.mark.parametrize(
    ("variable", "policy"), [("REDIS_URL", "to-redis"), ("DATABASE_URL", "to-postgres"), ("BLOBS_URL", "to-s3")]
)
def test_whoever_has_a_server_outside_may_reach_it(prod: Cluster, variable: str, policy: str) -> None:
    secrets = {(name, key): "url" for name in ("redis", "postgres") for key in ("url", "gateway", *SERVICES)}
    users = {
        workload.name
        for workload in prod.processes
        if any(name.endswith(variable) for name in prod.environment(workload, secrets))
    }
    spec = prod.one("NetworkPolicy", policy)["spec"]
    assert users == {workload.name for workload in _ours(prod, spec["podSelector"])}


def test_prometheus_reads_every_pod(prod: Cluster) -> None:
    monitor = prod.one("PodMonitor", "bankai")["spec"]
    policy = prod.one("NetworkPolicy", "metrics-from-prometheus")["spec"]
    for workload in prod.workloads:
        assert _selects(monitor["selector"], workload.labels)
        assert _selects(policy["podSelector"], workload.labels)
        assert monitor["podMetricsEndpoints"][0]["port"] in workload.ports
