"""Every process would start with what its pod gives it: variables and files."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bankai.settings import ProcessSettings, ServiceSettings, load
from gateway.proxy import MAX_UNARY_S
from gateway.settings import GatewaySettings
from services.doc_extract.settings import DocExtractSettings
from services.intent.settings import IntentSettings
from services.progress_monitor.settings import ProgressMonitorSettings
from tests.k8s.manifests import PROCESSES, ROOT, Cluster, Workload
from tests.k8s.secret_files import make_secrets

SETTINGS: Mapping[str, type[ProcessSettings]] = {
    "gateway": GatewaySettings,
    "intent": IntentSettings,
    "doc-extract": DocExtractSettings,
    "progress-monitor": ProgressMonitorSettings,
}
SECRETS = {
    ("redis", "url"): "rediss://:password@redis.example:6379/0",
    ("postgres", "gateway"): "postgresql://gateway:password@postgres.example/gateway",
    ("postgres", "doc-extract"): "postgresql://doc_extract:password@postgres.example/doc_extract",
    ("postgres", "progress-monitor"): "postgresql://progress:password@postgres.example/progress",
}
_LEAVING_S = 5.0
"""The drain's notice, cleaning up after it and the last spans; see bankai/server.py."""


@pytest.fixture(scope="module")
def secret_files(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """A folder for every Secret that is mounted, with what a bank would put there."""
    root = tmp_path_factory.mktemp("secrets")
    return make_secrets(root, {"ivr": root / "api-key"})


def _settings(
    cluster: Cluster,
    workload: Workload,
    secret_files: Mapping[str, Path],
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Any:
    """The settings that a pod's process would read; its file system is laid out in the folder."""
    volumes = {volume["name"]: volume for volume in workload.pod["volumes"]}
    for mount in workload.server["volumeMounts"]:
        place = folder / mount["mountPath"].lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        volume = volumes.get(mount["name"], {})
        if mount["name"] == "models":
            place.symlink_to(ROOT / "models")
        elif "secret" in volume:
            place.symlink_to(secret_files[volume["secret"]["secretName"]])
        else:
            place.mkdir()
            files = cluster.one("ConfigMap", volume["configMap"]["name"])["data"] if "configMap" in volume else {}
            for name, text in files.items():
                (place / name).write_text(text, encoding="utf-8")
    for name in [name for name in os.environ if name.startswith("BANKAI_")]:
        monkeypatch.delenv(name)
    for name, value in cluster.environment(workload, SECRETS).items():
        if name.startswith("BANKAI_"):
            monkeypatch.setenv(name, str(folder / value.lstrip("/")) if value.startswith("/") else value)
    return load(SETTINGS[workload.name])


@pytest.fixture(params=PROCESSES)
def pod(
    request: pytest.FixtureRequest,
    cluster: Cluster,
    secret_files: Mapping[str, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> tuple[Cluster, Workload, Any]:
    """A workload and the settings of its process. A wrong or unknown variable ends here, with its name."""
    (workload,) = (each for each in cluster.processes if each.name == request.param)
    return cluster, workload, _settings(cluster, workload, secret_files, tmp_path, monkeypatch)


def test_ports_are_those_that_the_process_listens_on(pod: tuple[Cluster, Workload, Any]) -> None:
    _, workload, settings = pod
    listens = {"grpc": settings.server.listen, "metrics": settings.server.metrics_listen}
    if isinstance(settings, GatewaySettings):
        listens["http"] = settings.http.listen
    assert {name: f"0.0.0.0:{port}" for name, port in workload.ports.items()} == listens
    assert workload.server["image"].rpartition("/")[2].startswith(f"bankai-{workload.name}:")


def test_every_variable_of_a_pod_is_its_own(pod: tuple[Cluster, Workload, Any]) -> None:
    """Variables of another process would be read by nobody."""
    cluster, workload, settings = pod
    prefix = settings.model_config["env_prefix"]
    names = {name for name in cluster.environment(workload, SECRETS) if name.startswith("BANKAI_")}
    assert all(name.startswith(prefix) for name in names)


def test_readiness_is_that_of_a_service_that_the_process_has(pod: tuple[Cluster, Workload, Any]) -> None:
    _, workload, settings = pod
    probe = workload.server["readinessProbe"]
    command = probe.get("exec", {}).get("command", [])
    asked = (
        command[command.index("--service") + 1] if "--service" in command else probe.get("grpc", {}).get("service", "")
    )
    if isinstance(settings, GatewaySettings):
        assert asked == ""
    else:
        (name,) = {
            service
            for service, target in _routes(pod[0]).items()
            if f"//{workload.name}." in target and not service.startswith("google.")
        }
        assert asked == name


def _routes(cluster: Cluster) -> Mapping[str, str]:
    table: Mapping[str, str] = yaml.safe_load(cluster.one("ConfigMap", "gateway-routes")["data"]["routes.yaml"])
    return table


def test_pods_are_given_time_to_finish(pod: tuple[Cluster, Workload, Any]) -> None:
    """The kubelet waits longer than the hook before the signal, the drain and what comes after take together."""
    _, workload, settings = pod
    hook = workload.server["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert workload.pod["terminationGracePeriodSeconds"] > hook + settings.server.drain_grace_s + _LEAVING_S


def test_the_longest_call_may_finish(pod: tuple[Cluster, Workload, Any]) -> None:
    _, _, settings = pod
    extract_s = DocExtractSettings.model_fields["limits"].default.extract_s
    match settings:
        case GatewaySettings():
            longest = max(MAX_UNARY_S, extract_s)
        case DocExtractSettings():
            longest = settings.limits.extract_s
        case ProgressMonitorSettings():
            longest = settings.limits.observe_s
        case _:
            longest = settings.stream.final_budget_s  # of an utterance: streams are told to go elsewhere
    assert settings.server.drain_grace_s >= longest


def test_pods_of_many_share_their_state(pod: tuple[Cluster, Workload, Any]) -> None:
    cluster, workload, settings = pod
    if _most(cluster, workload) == 1:
        return
    if isinstance(settings, GatewaySettings):
        assert settings.quota.redis_url.get_secret_value()
        assert settings.idempotency is not None
        assert settings.idempotency.database.startswith("postgresql://")
    elif isinstance(settings, IntentSettings):
        assert settings.sessions.redis_url.get_secret_value()
    else:
        assert settings.storage.database.startswith("postgresql://")
        assert settings.storage.blobs.startswith("s3://")


def test_without_redis_gateways_together_allow_what_one_should(pod: tuple[Cluster, Workload, Any]) -> None:
    cluster, _, settings = pod
    if isinstance(settings, GatewaySettings) and cluster.name in ("staging", "prod"):
        fewest = cluster.one("HorizontalPodAutoscaler", "gateway")["spec"]["minReplicas"]
        assert settings.quota.local_share == pytest.approx(1 / fewest, rel=0.02)


def test_the_audit_log_outlives_its_pod(pod: tuple[Cluster, Workload, Any]) -> None:
    _, workload, settings = pod
    if isinstance(settings, GatewaySettings):
        assert settings.audit is not None
        claims = {claim["metadata"]["name"] for claim in workload.manifest["spec"]["volumeClaimTemplates"]}
        (place,) = (mount for mount in workload.server["volumeMounts"] if mount["name"] in claims)
        assert str(settings.audit.folder).endswith(f"{place['mountPath']}/audit")
        assert workload.manifest["spec"]["persistentVolumeClaimRetentionPolicy"]["whenScaled"] == "Retain"


def test_services_take_calls_of_the_gateway_alone(pod: tuple[Cluster, Workload, Any]) -> None:
    _, _, settings = pod
    if isinstance(settings, ServiceSettings):
        assert settings.gateway_keys is not None


def test_production_speaks_tls_on_every_way(pod: tuple[Cluster, Workload, Any]) -> None:
    cluster, workload, settings = pod
    if cluster.name not in ("staging", "prod"):
        return
    assert settings.server.tls.client_ca is not None
    certificate = cluster.one("Certificate", workload.name)["spec"]
    assert certificate["dnsNames"] == [f"{workload.name}.{workload.manifest['metadata']['namespace']}.svc"]
    if isinstance(settings, GatewaySettings):
        assert settings.backend.cert is not None


def _most(cluster: Cluster, workload: Workload) -> int:
    """How many pods a workload may have."""
    scalers = {
        manifest["spec"]["scaleTargetRef"]["name"]: manifest["spec"]
        for manifest in cluster.all("HorizontalPodAutoscaler", "ScaledObject")
    }
    if workload.name in scalers:
        spec = scalers[workload.name]
        return int(spec.get("maxReplicas") or spec["maxReplicaCount"])
    return int(workload.manifest["spec"]["replicas"])
