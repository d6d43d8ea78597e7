"""What the manifests say: resources, settings and autoscaling of every workload, as kustomize makes them."""

import re
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bankai.capacity.autoscaler import Autoscaler, Policy, Rules
from bankai.errors import InvalidRequestError, NotFoundError

PROD = Path(__file__).resolve().parents[2] / "k8s" / "overlays" / "prod"
_UNITS = {"": 1.0, "m": 0.001, "Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30}
_GPU = "nvidia.com/gpu"

Manifest = Mapping[str, Any]


@dataclass(frozen=True)
class Target:
    """One metric of an autoscaler.

    Attributes:
        kind: "in_flight" (calls a pod), "cpu" (share of what it asks for), or "queue" (seconds that a request waits).
        value: What it should be.
        model: Whose queue.
    """

    kind: str
    value: float
    model: str = ""


@dataclass(frozen=True)
class Workload:
    """A Deployment or StatefulSet and who scales it.

    Attributes:
        name: Its name.
        cores: What its server's container asks for.
        cores_limit: What it gets at most.
        memory_gib: What it asks for.
        gpus: GPUs of a pod.
        disk_gib: Its own claim's size; 0 without.
        readiness_s: Period of its readiness probe.
        settings: Variables of its ConfigMaps.
        least: minReplicas, or the number where nobody scales it.
        most: maxReplicas, or the same.
        targets: What it is scaled by.
        up: How fast up.
        down: How fast down.
    """

    name: str
    cores: float
    cores_limit: float
    memory_gib: float
    gpus: int
    disk_gib: float
    readiness_s: float
    settings: Mapping[str, str]
    least: int
    most: int
    targets: Sequence[Target]
    up: Rules
    down: Rules

    def autoscaler(self) -> Autoscaler:
        """A fresh one."""
        return Autoscaler(self.least, self.most, self.up, self.down)

    def target(self, kind: str) -> float | None:
        """The target of a kind; None where it is not scaled by such."""
        return next((target.value for target in self.targets if target.kind == kind), None)

    def setting(self, name: str, default: float) -> float:
        """A number among its settings, by the end of its name."""
        return next((float(value) for key, value in self.settings.items() if key.endswith(name)), default)

    @property
    def on_triton(self) -> bool:
        """Whether its models run on Triton."""
        return any(key.endswith("INFERENCE__BACKEND") and value == "triton" for key, value in self.settings.items())


@dataclass(frozen=True)
class Cluster:
    """What would be applied.

    Attributes:
        workloads: By name.
        scrape_s: How often Prometheus reads metrics.
    """

    workloads: Mapping[str, Workload]
    scrape_s: float

    def __getitem__(self, name: str) -> Workload:
        """A workload by its name."""
        return self.workloads[name]


def read_cluster(where: Path = PROD) -> Cluster:
    """Reads an overlay by `kubectl kustomize`, or a file that holds its output.

    Raises:
        NotFoundError: KUBECTL_MISSING, it is a folder and there is no kubectl.
        InvalidRequestError: MANIFESTS_INVALID, kustomize cannot make it, or a workload is not there.
    """
    text = _kustomize(where) if where.is_dir() else where.read_text(encoding="utf-8")
    manifests: list[Manifest] = [each for each in yaml.load_all(text, yaml.CSafeLoader) if each]
    scalers = {
        each["spec"]["scaleTargetRef"]["name"]: each["spec"] for each in _of(manifests, "HorizontalPodAutoscaler")
    }
    maps = {each["metadata"]["name"]: each["data"] for each in _of(manifests, "ConfigMap")}
    workloads = {
        each["metadata"]["name"]: _workload(each, scalers.get(each["metadata"]["name"]), maps)
        for each in _of(manifests, "Deployment", "StatefulSet")
    }
    if missing := {"gateway", "intent", "doc-extract", "progress-monitor"} - workloads.keys():
        raise InvalidRequestError("MANIFESTS_INVALID", f"{where} has no workload {min(missing)}")
    intervals = [each["spec"]["podMetricsEndpoints"][0]["interval"] for each in _of(manifests, "PodMonitor")]
    return Cluster(workloads, float(intervals[0].removesuffix("s")) if intervals else 15.0)


def _kustomize(folder: Path) -> str:
    beside = Path(sys.executable).with_name("kubectl")
    program = str(beside) if beside.exists() else shutil.which("kubectl")
    if program is None:
        raise NotFoundError("KUBECTL_MISSING", "kubectl is not installed; give --manifests a file that it has made")
    result = subprocess.run([program, "kustomize", str(folder)], capture_output=True, text=True, check=False)  # noqa: S603
    if result.returncode:
        raise InvalidRequestError("MANIFESTS_INVALID", result.stderr.strip())
    return result.stdout


def _of(manifests: Sequence[Manifest], *kinds: str) -> list[Manifest]:
    return [each for each in manifests if each["kind"] in kinds]


def _workload(manifest: Manifest, scaler: Manifest | None, maps: Mapping[str, Mapping[str, str]]) -> Workload:
    (server,) = manifest["spec"]["template"]["spec"]["containers"]
    requests, limits = server["resources"]["requests"], server["resources"]["limits"]
    replicas = manifest["spec"].get("replicas", 1)
    behavior = scaler["behavior"] if scaler else {}
    settings: dict[str, str] = {}
    for source in server.get("envFrom", ()):
        settings |= maps[source["configMapRef"]["name"]] if "configMapRef" in source else {}
    claims = manifest["spec"].get("volumeClaimTemplates", ())
    return Workload(
        name=manifest["metadata"]["name"],
        cores=_amount(requests["cpu"]),
        cores_limit=_amount(limits["cpu"]),
        memory_gib=_amount(requests["memory"]) / 2**30,
        gpus=int(requests.get(_GPU, 0)),
        disk_gib=sum(_amount(each["spec"]["resources"]["requests"]["storage"]) for each in claims) / 2**30,
        readiness_s=float(server.get("readinessProbe", {}).get("periodSeconds", 10)),
        settings=settings,
        least=scaler["minReplicas"] if scaler else replicas,
        most=scaler["maxReplicas"] if scaler else replicas,
        targets=[_target(metric) for metric in scaler["metrics"]] if scaler else [],
        up=_rules(behavior.get("scaleUp", {})),
        down=_rules(behavior.get("scaleDown", {})),
    )


def _target(metric: Manifest) -> Target:
    match metric["type"]:
        case "Pods":
            return Target("in_flight", _amount(metric["pods"]["target"]["averageValue"]))
        case "ContainerResource":
            return Target("cpu", metric["containerResource"]["target"]["averageUtilization"] / 100)
        case "External":
            asked = metric["external"]
            model = asked["metric"]["selector"]["matchLabels"]["model"]
            return Target("queue", _amount(asked["target"]["value"]) / 1e6, model)
        case other:
            raise InvalidRequestError("MANIFESTS_INVALID", f"a metric of type {other} is not known here")


def _rules(rules: Manifest) -> Rules:
    policies = [
        Policy(percent=each["type"] == "Percent", value=each["value"], period_s=each["periodSeconds"])
        for each in rules.get("policies", ())
    ]
    return Rules(rules.get("stabilizationWindowSeconds", 0), policies)


def _amount(quantity: str | int) -> float:
    match = re.fullmatch(r"(\d+)(m|Ki|Mi|Gi)?", str(quantity))
    if match is None:
        raise InvalidRequestError("MANIFESTS_INVALID", f"{quantity} is no quantity that is known here")
    return int(match[1]) * _UNITS[match[2] or ""]
