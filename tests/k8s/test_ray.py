"""The job of bulk work: what KubeRay is told to run fits the command, the settings and what the namespace allows."""

import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from bankai.cli.app import build
from services.doc_extract.settings import DocExtractSettings
from tests.k8s.manifests import RAY_PODS, Cluster, Manifest, made


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return _cluster(tmp_path_factory.mktemp("ray")).one("RayJob", "batch-extract")


def _cluster(folder: Path) -> Cluster:
    return made("ray", folder)


def _templates(job: Manifest) -> list[Manifest]:
    spec = job["spec"]["rayClusterSpec"]
    return [spec["headGroupSpec"]["template"], *(group["template"] for group in spec["workerGroupSpecs"])]


def test_the_command_is_one_of_ours(job: Manifest) -> None:
    program, *words = shlex.split(job["spec"]["entrypoint"])
    assert program == "bankai"
    command: Any = get_command(build())
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words.pop(0)]
    context = command.make_context("bankai", words)
    assert context.params["engine"].value == "ray"
    (group,) = job["spec"]["rayClusterSpec"]["workerGroupSpecs"]
    assert context.params["workers"] == group["replicas"] * int(group["rayStartParams"]["num-cpus"])


def test_settings_exist(job: Manifest) -> None:
    prefix = str(DocExtractSettings.model_config["env_prefix"])
    for template in _templates(job):
        (container,) = template["spec"]["containers"]
        for variable in (entry["name"] for entry in container["env"] if entry["name"].startswith("BANKAI_")):
            group, _, name = variable.removeprefix(prefix).lower().partition("__")
            fields: Any = DocExtractSettings.model_fields[group].annotation
            assert name in fields.model_fields


def test_the_namespace_lets_its_pods_in(job: Manifest) -> None:
    for template in _templates(job):
        pod = template["spec"]
        assert template["metadata"]["labels"].items() >= RAY_PODS.items()
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        (container,) = pod["containers"]
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["allowPrivilegeEscalation"] is False
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"].keys() == {"requests", "limits"}
        assert {mount["name"] for mount in container["volumeMounts"]} == {each["name"] for each in pod["volumes"]}


def test_nobody_else_reaches_them(tmp_path: Path) -> None:
    cluster = _cluster(tmp_path)
    mine = [each for each in cluster.all("NetworkPolicy") if each["spec"]["podSelector"].get("matchLabels") == RAY_PODS]
    peers = [peer for policy in mine for rule in policy["spec"].get("ingress", ()) for peer in rule["from"]]
    assert peers == [
        {"podSelector": {"matchLabels": RAY_PODS}},
        {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kuberay-operator"}}},
    ]
