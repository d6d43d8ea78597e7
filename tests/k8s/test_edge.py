"""The edge's Envoy goes where the gateway is, and takes its configuration."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.certificates import Authority
from tests.k8s.manifests import ROOT, Cluster

_ENVOYS = (ROOT / ".ops" / "bin" / "envoy", ROOT / ".bench" / "envoy" / "bin" / "envoy")


@pytest.fixture
def files(prod: Cluster) -> dict[str, str]:
    """The files of Envoy's configuration, by name."""
    (workload,) = (each for each in prod.workloads if each.name == "edge")
    (name,) = (volume["configMap"]["name"] for volume in workload.pod["volumes"] if "configMap" in volume)
    data: dict[str, str] = prod.one("ConfigMap", name)["data"]
    return data


def _addresses(node: Any) -> set[tuple[str, int]]:
    """Every address that a configuration names."""
    if isinstance(node, dict):
        here = {(node["address"], node["port_value"])} if "port_value" in node else set()
        return here.union(*map(_addresses, node.values()))
    return set().union(*map(_addresses, node)) if isinstance(node, list) else set()


def test_it_listens_and_leads_where_it_should(prod: Cluster, files: dict[str, str]) -> None:
    (workload,) = (each for each in prod.workloads if each.name == "edge")
    gateway = {port["port"] for port in prod.one("Service", "gateway")["spec"]["ports"]}
    envoy = yaml.safe_load(files["envoy.yaml"])
    addresses = _addresses(envoy)
    assert {port for host, port in addresses if host == "0.0.0.0"} == set(workload.ports.values())
    assert {port for host, port in addresses if host == "gateway.bankai.svc"} == gateway
    # The admin port can stop Envoy: it answers in the pod alone.
    assert {host for host, _ in addresses} == {"0.0.0.0", "127.0.0.1", "gateway.bankai.svc"}
    assert envoy["admin"]["address"]["socket_address"]["address"] == "127.0.0.1"


def test_envoy_takes_its_configuration(files: dict[str, str], tmp_path: Path) -> None:
    envoy = next((each for each in _ENVOYS if each.exists()), None) or shutil.which("envoy")
    if envoy is None:
        pytest.skip("there is no Envoy: run `make ops-check`, which installs it")
    authority = Authority()
    for side in ("server", "client"):
        pair = authority.issue(side)
        (tmp_path / side).mkdir()
        for file, pem in (("tls.crt", pair.cert), ("tls.key", pair.key), ("ca.crt", authority.pem)):
            (tmp_path / side / file).write_bytes(pem)
    for name, text in files.items():
        placed = text.replace("/etc/envoy", str(tmp_path)).replace("/etc/edge", str(tmp_path))
        (tmp_path / name).write_text(placed, encoding="utf-8")
    command = [str(envoy), "--mode", "validate", "--config-path", str(tmp_path / "envoy.yaml")]
    result = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert result.returncode == 0, result.stderr
    assert "deprecated" not in result.stderr.lower(), result.stderr
