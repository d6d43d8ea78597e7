"""One Triton for all: the models' configurations for it, and that documents do not keep utterances waiting."""

import asyncio
import os
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import grpc
import numpy as np
import pytest
from google.protobuf import text_format
from grpc_health.v1 import health_pb2, health_pb2_grpc
from tritonclient.grpc import model_config_pb2

from bankai.inference.config import parse
from bankai.inference.triton import TritonBackend
from bankai.inference.triton_server import TritonInstallation
from bankai.loopback import HOST, free_ports
from tests.k8s.manifests import ROOT, TRITON_METRICS, Cluster, Workload

MODELS = sorted(file.parent.name for file in (ROOT / "models").glob("*/config.pbtxt"))
LIVE = {"intent", "intent_partial"}
LARGE = 1000
"""Triton weighs priorities with the runs of an instance: a live model makes that many times as many."""


def _gpu(model: str) -> str:
    return (ROOT / "models" / model / "configs" / "gpu.pbtxt").read_text(encoding="utf-8")


@pytest.mark.parametrize("model", MODELS)
def test_only_places_differ(model: str) -> None:
    ours = parse((ROOT / "models" / model / "config.pbtxt").read_text(encoding="utf-8"), model)
    assert replace(parse(_gpu(model), model), instances=ours.instances) == ours


@pytest.mark.parametrize("model", MODELS)
def test_live_models_go_first(model: str) -> None:
    config = text_format.Parse(_gpu(model), model_config_pb2.ModelConfig())
    for group in config.instance_group:
        if model in LIVE:
            assert group.kind == model_config_pb2.ModelInstanceGroup.KIND_CPU
            assert not group.rate_limiter.resources
        elif group.rate_limiter.resources:
            assert [resource.name for resource in group.rate_limiter.resources] == ["bulk"]
            assert group.rate_limiter.priority >= LARGE


def _triton(cluster: Cluster) -> Workload:
    (workload,) = (each for each in cluster.workloads if each.name == "triton")
    return workload


def test_the_server_knows_the_limit(prod: Cluster) -> None:
    command = _triton(prod).server["command"]
    assert {"--model-config-name=gpu", "--rate-limit=execution_count", "--rate-limit-resource=bulk:2"} <= set(command)


def test_services_ask_the_triton_that_is_there(prod: Cluster) -> None:
    port = _triton(prod).ports["grpc"]
    for workload in prod.processes:
        if workload.name != "gateway":
            variables = prod.environment(workload, {("postgres", workload.name): "", ("redis", "url"): ""})
            (url,) = (value for name, value in variables.items() if name.endswith("TRITON_URL"))
            assert url == f"triton.{prod.one('Service', 'triton')['metadata']['namespace']}.svc:{port}"
            (backend,) = (value for name, value in variables.items() if name.endswith("INFERENCE__BACKEND"))
            assert backend == ("onnx" if workload.name == "intent" else "triton")  # components/intent-on-cores


@pytest.fixture
def triton(prod: Cluster, tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A real Triton, started with the pod's own command; on CPU, so without a GPU's instances.

    Yields:
        (host:port of its gRPC endpoint, port of its metrics)
    """
    installation = TritonInstallation()
    if not installation.complete:
        pytest.skip("there is no Triton server: run `make triton`")
    port, metrics = free_ports(2)
    prefix = f"triton_bankai_k8s_{os.getpid()}_"
    command = [word for word in _triton(prod).server["command"][1:] if not word.startswith(_PLACES)]
    command += [
        f"--model-repository={ROOT / 'models'}",
        f"--backend-directory={installation.backends}",
        f"--backend-config=python,shm-region-prefix-name={prefix}",
        f"--grpc-address={HOST}",
        f"--grpc-port={port}",
        f"--metrics-address={HOST}",
        f"--metrics-port={metrics}",
        "--exit-timeout-secs=2",
    ]
    with (tmp_path / "triton.log").open("wb") as log:
        process = subprocess.Popen(
            [str(installation.binary), *command], env=installation.environment(), stdout=log, stderr=subprocess.STDOUT
        )
    try:
        yield f"{HOST}:{port}", metrics
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for segment in Path("/dev/shm").glob(f"{prefix}*"):
            segment.unlink(missing_ok=True)


_PLACES = ("--model-repository", "--grpc-port", "--metrics-port", "--exit-timeout-secs")


async def _serving(address: str) -> None:
    """Asks as the kubelet does, until it serves."""
    async with grpc.aio.insecure_channel(address) as channel:
        stub: Any = health_pb2_grpc.HealthStub(channel)
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=60, wait_for_ready=True)
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


def _read(port: int) -> str:
    with urlopen(f"http://{HOST}:{port}/metrics", timeout=10) as answer:
        text: bytes = answer.read()
    return text.decode()


@pytest.mark.slow
async def test_documents_do_not_keep_utterances_waiting(triton: tuple[str, int]) -> None:
    """With equal priorities, an utterance waits here until it is given up."""
    address, metrics = triton
    await _serving(address)
    backend = TritonBackend(address)
    tokens, ngrams = np.ones((1, 24), np.int64), np.zeros((1, 8), np.int64)
    line, page = np.zeros((1, 48, 320, 3), np.uint8), np.zeros((1, 640, 640, 3), np.uint8)

    async def utterance() -> float:
        start = time.monotonic()
        inputs = {"input_ids": tokens, "attention_mask": tokens, "ngram_ids": ngrams}
        await backend.infer("intent", inputs, timeout=20)
        return time.monotonic() - start

    async def work(model: str, image: np.ndarray) -> None:
        while True:
            await backend.infer(model, {"image": image}, timeout=60)

    for _ in range(200):  # who has run least goes first, so live models must have run
        await utterance()
    scans = [asyncio.create_task(work("ocr_rec", line)) for _ in range(16)]
    scans += [asyncio.create_task(work("ocr_det", page)) for _ in range(8)]
    try:
        await asyncio.sleep(1)
        waits = [await utterance() for _ in range(20)]
    finally:
        for scan in scans:
            scan.cancel()
        await asyncio.gather(*scans, return_exceptions=True)
        await backend.close()
    assert max(waits) < 5.0
    exported = await asyncio.to_thread(_read, metrics)
    assert not [name for name in TRITON_METRICS if f'{name}{{model="intent"' not in exported]
