"""The images, started as the overlay dev says: they serve with a read-only root, and end when they are told to."""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bankai.client.progress import ProgressClient
from bankai.intent.v1 import intent_pb2, intent_pb2_grpc
from bankai.progress.v1 import progress_pb2
from bankai.timestamps import timestamp
from services.progress_monitor.site_files import read_site
from tests.images.conftest import built
from tests.images.node import Node, Pod
from tests.k8s.manifests import PROCESSES, ROOT, Cluster
from tools.images import tag

pytestmark = [pytest.mark.images, pytest.mark.timeout(900)]  # four images are built before the first pod

SCAN = ROOT / "services" / "doc_extract" / "cli" / "samples" / "approval_notice_scan.jpg"
SITE = ROOT / "services" / "progress_monitor" / "cli" / "samples" / "site"
GATEWAY_PORT = 50051
_START_S = 120.0


async def _serves(pod: Pod, port: int, service: str = "") -> bool:
    """Whether a pod says within the time of a start that it, or a service of it, serves."""
    async with grpc.aio.insecure_channel(f"{pod.address}:{port}") as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        request = health_pb2.HealthCheckRequest(service=service)
        async for answer in stub.Watch(request, timeout=_START_S, wait_for_ready=True):
            if answer.status == health_pb2.HealthCheckResponse.SERVING:
                return True
    return False


@pytest.mark.parametrize("name", ["intent", "doc-extract", "progress-monitor", "gateway"])
async def test_it_is_ready_as_the_kubelet_asks(dev: Cluster, pods: Mapping[str, Pod], name: str) -> None:
    (workload,) = (each for each in dev.processes if each.name == name)
    probe = workload.server["readinessProbe"]["grpc"]
    assert await _serves(pods[name], probe["port"], probe.get("service", "")), pods[name].log


async def test_the_gateway_reaches_every_service_by_its_name(dev: Cluster, pods: Mapping[str, Pod]) -> None:
    for workload in dev.processes:
        service = workload.server["readinessProbe"]["grpc"].get("service", "")
        assert await _serves(pods["gateway"], GATEWAY_PORT, service), pods["gateway"].log


async def test_utterances_are_understood(pods: Mapping[str, Pod], keys: Mapping[str, Path]) -> None:
    async with grpc.aio.insecure_channel(f"{pods['gateway'].address}:{GATEWAY_PORT}") as channel:
        stub: Any = intent_pb2_grpc.IntentServiceStub(channel)
        request = intent_pb2.ClassifyRequest(text="我的卡丢了，赶紧帮我挂失")
        answer = await stub.Classify(request, metadata=_key(keys["ivr"]), timeout=30)
    assert answer.analysis.intents[0].intent_id == "card_loss_report"


def test_scans_are_read(pods: Mapping[str, Pod], keys: Mapping[str, Path]) -> None:
    """In a process of its own, which the image must be able to start."""
    command = [
        str(Path(sys.executable).with_name("bankai")),
        "extract",
        str(SCAN),
        "--api-key-file",
        str(keys["core-banking"]),
    ]
    command += ["--address", f"{pods['gateway'].address}:{GATEWAY_PORT}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "borrower" in done.stdout


async def test_pictures_are_measured(pods: Mapping[str, Pod], keys: Mapping[str, Path]) -> None:
    site = read_site(SITE)
    async with grpc.aio.insecure_channel(f"{pods['gateway'].address}:{GATEWAY_PORT}") as channel:
        client = ProgressClient(channel, _key(keys["risk-desk"]))
        await client.register(progress_pb2.Project(project_id="site", name="Site", aoi_geojson=site.aoi))
        for picture in site.pictures[:2]:
            config = progress_pb2.ObservationConfig(
                project_id="site",
                acquire_time=timestamp(picture.time),
                sensor=progress_pb2.SENSOR_SENTINEL2_L2A,
            )
            observation = await client.observe(config, picture.path)
            assert observation.status == progress_pb2.OBSERVATION_STATUS_USED


@pytest.mark.parametrize("name", PROCESSES)
def test_whoever_breaks_in_gains_nothing(pods: Mapping[str, Pod], name: str) -> None:
    status = dict(line.split(":\t", 1) for line in pods[name].status.splitlines())
    assert status["Uid"].split() == status["Gid"].split() == ["10001"] * 4
    assert [int(status[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")] == [0] * 5
    assert status["NoNewPrivs"].strip() == "1"
    for place in ("/", "/opt/bankai", "/etc"):
        refused = pods[name].execute("python3.11", "-c", f"open('{place}/new', 'w')")
        assert "Read-only file system" in refused.stderr


def test_models_are_copied_into_a_volume(copying: Cluster, node: Node) -> None:
    """As the component models-copy does, for clusters that mount no images."""
    (workload,) = (each for each in copying.processes if each.name == "intent")
    (container,) = workload.pod["initContainers"]
    assert container["image"] == tag(built("models-copy"))
    pod = node.initialise(workload, container)
    assert pod.process.wait(60) == 0, pod.log
    copied = {file.relative_to(pod.volume("models")) for file in pod.volume("models").rglob("*") if file.is_file()}
    assert copied == {file.relative_to(ROOT / "models") for file in (ROOT / "models").rglob("*") if file.is_file()}


@pytest.mark.parametrize("name", [*PROCESSES][::-1])
def test_it_ends_when_it_is_told_to(pods: Mapping[str, Pod], name: str) -> None:
    """As the last test of the pods: SIGTERM drains, and the exit code says that all went well."""
    pods[name].process.terminate()
    assert pods[name].process.wait(60) == 0, pods[name].log


def test_with_mtls_probes_in_the_pods_find_everything_ready(mtls: Node) -> None:
    """The gateway's reaches the services, with its certificate, and says of each what it says of itself."""
    pods = {workload.name: mtls.run(workload) for workload in mtls.cluster.processes}
    probes = {
        workload.name: workload.server["readinessProbe"]["exec"]["command"] for workload in mtls.cluster.processes
    }
    for name, probe in probes.items():
        _succeeds(pods[name], probe)
        if "--service" in probe:
            _succeeds(pods["gateway"], [*probes["gateway"], *probe[probe.index("--service") :]])


def _succeeds(pod: Pod, probe: Sequence[str]) -> None:
    """Asks as the kubelet does, again and again, until the time of a start is over."""
    end = time.monotonic() + _START_S
    while (asked := pod.execute(*probe)).returncode:
        assert time.monotonic() < end, asked.stderr + pod.log
        time.sleep(0.5)


def _key(file: Path) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {file.read_text()}"),)
