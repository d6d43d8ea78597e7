"""Every overlay and component makes manifests that Kubernetes knows, once each, in one namespace."""

import json
from collections import Counter
from functools import cache

import pytest

from tests.k8s.manifests import K8S, NAMESPACE, OVERLAYS, VARIANTS, Cluster, overlay

kubernetes_validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")

KUBERNETES = "1.35"
"""Oldest version that mounts images without a feature gate."""
# Their schemas come with their operators, and not with Kubernetes.
FOREIGN = {"Certificate", "ExternalSecret", "Issuer", "PodMonitor", "RayJob", "ScaledObject"}


@cache  # most of a cluster is in the next one, too
def _validate(manifest: str) -> None:
    kubernetes_validate.validate(json.loads(manifest), KUBERNETES, strict=True)


def test_manifests_are_valid(cluster: Cluster) -> None:
    for manifest in cluster.manifests:
        if manifest["kind"] not in FOREIGN:
            _validate(json.dumps(manifest))


def test_nothing_is_there_twice_or_elsewhere(cluster: Cluster) -> None:
    names = Counter((manifest["kind"], manifest["metadata"]["name"]) for manifest in cluster.manifests)
    assert not [name for name, times in names.items() if times > 1]
    namespaces = {
        manifest["metadata"].get("namespace") for manifest in cluster.manifests if manifest["kind"] != "Namespace"
    }
    assert namespaces == {NAMESPACE}


def test_nothing_secret_lies_here(cluster: Cluster) -> None:
    assert not list(cluster.all("Secret"))


def test_the_namespace_refuses_what_is_not_restricted(cluster: Cluster) -> None:
    labels = cluster.one("Namespace", NAMESPACE)["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"


def test_every_component_is_tried() -> None:
    there = {file.parent.name for file in (K8S / "components").glob("*/kustomization.yaml")}
    tried = {component for components in VARIANTS.values() for component in components}
    for name in OVERLAYS:
        text = (K8S / "overlays" / name / "kustomization.yaml").read_text(encoding="utf-8")
        tried |= {component for component in there if f"components/{component}\n" in text}
    assert there == tried


@pytest.mark.usefixtures("prod")
def test_files_that_are_followed_keep_their_names() -> None:
    """A new name would need new pods; these are followed by the gateway as it runs."""
    for name in OVERLAYS:
        assert overlay(name).one("ConfigMap", "gateway-policy")["data"].keys() == {"policy.yaml"}
        assert overlay(name).one("ConfigMap", "gateway-routes")["data"].keys() == {"routes.yaml"}
