"""The Containerfiles fit the code, the manifests and each other."""

import json
import shutil
import subprocess
import sys
from importlib.metadata import distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.images.containerfile import IMAGES, USER, copied, instructions
from tests.images.imports import closure
from tests.k8s.manifests import PROCESSES, ROOT, Cluster
from tools.images import NAMES, tag
from tools.licences import copyleft_alone, of_model, of_package

_HADOLINT = ROOT / ".ops" / "bin" / "hadolint"
_BY_OTHERS = {"aiosqlite", "async-timeout", "asyncpg", "hiredis"}
"""Packages that others import where a URL, or an older Python, asks for them."""
WORKERS = {
    "gateway": (),
    "intent": (),
    "doc-extract": ("services.doc_extract.intake.worker",),
    "progress-monitor": ("services.progress_monitor.imagery.worker", "services.progress_monitor.photos.worker"),
}
"""Modules that a process starts as processes of their own."""


def _names(file: Path) -> set[str]:
    """Packages that a list names, by their canonical names."""
    lines = [line for line in file.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    return {canonicalize_name(Requirement(line).name) for line in lines}


def _module(name: str) -> str:
    """The module that an image runs."""
    (entrypoint,) = (rest for keyword, rest in instructions(name) if keyword == "ENTRYPOINT")
    python, option, module = json.loads(entrypoint)
    assert (python, option) == ("python3.11", "-m")
    return str(module)


def _imports(name: str) -> tuple[set[Path], set[str]]:
    files, packages = closure([f"{_module(name)}.__main__", "bankai.probe", *WORKERS[name]])
    return files, {canonicalize_name(package) for package in packages}


@pytest.mark.parametrize("name", NAMES)
def test_hadolint_finds_nothing(name: str) -> None:
    hadolint = str(_HADOLINT) if _HADOLINT.exists() else shutil.which("hadolint")
    if hadolint is None:
        pytest.skip("there is no hadolint: run `make ops-check`, which installs it")
    file = IMAGES / name / "Containerfile"
    done = subprocess.run([hadolint, str(file)], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_image_is_built() -> None:
    assert {file.parent.name for file in IMAGES.glob("*/Containerfile")} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_bases_are_whoever_builds_to_say(name: str) -> None:
    """Written here, a tag would move and a digest would age."""
    bases = {rest.partition(" ")[0] for keyword, rest in instructions(name) if keyword == "FROM"}
    assert bases <= {"${BUILD_BASE}", "${RUN_BASE}", "scratch"}
    # The last stage runs nothing, so it needs no shell.
    last = [keyword for keyword, _ in instructions(name)]
    assert "RUN" not in last[len(last) - last[::-1].index("FROM") :]


@pytest.mark.parametrize("name", NAMES)
def test_it_runs_as_the_user_of_the_manifests(name: str, dev: Cluster) -> None:
    (user,) = (rest for keyword, rest in instructions(name) if keyword == "USER")
    assert user == USER
    for workload in dev.processes:
        context = workload.pod["securityContext"]
        assert f"{context['runAsUser']}:{context['runAsGroup']}" == USER


@pytest.mark.parametrize("name", PROCESSES)
def test_it_runs_the_process_that_its_name_says(name: str, dev: Cluster) -> None:
    assert _module(name).rpartition(".")[2] == PROCESSES[name]
    (workload,) = (each for each in dev.processes if each.name == name)
    (exposed,) = (rest for keyword, rest in instructions(name) if keyword == "EXPOSE")
    assert {int(port) for port in exposed.split()} == set(workload.ports.values())
    assert workload.server["image"] == tag(name)


def test_manifests_name_every_image_and_no_other(prod: Cluster, copying: Cluster) -> None:
    workloads = [*prod.workloads, *copying.workloads]
    used = {container["image"] for workload in workloads for container in workload.containers}
    volumes = (volume for workload in workloads for volume in workload.pod["volumes"])
    used |= {volume["image"]["reference"] for volume in volumes if "image" in volume}
    ours = {image.rpartition("/")[2].partition(":")[0] for image in used if "bankai" in image}
    assert ours == {f"bankai-{name}" for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_what_is_copied_is_there(name: str) -> None:
    assert not [path for path in copied(name) if not path.exists()]


@pytest.mark.parametrize("name", PROCESSES)
def test_all_that_the_process_imports_is_copied(name: str) -> None:
    files, _ = _imports(name)
    places = list(copied(name))
    for file in files:
        assert any(file == place or place in file.parents for place in places), file
        assert not {"cli", "evaluation", "rollout"} & {*file.parts}, f".dockerignore leaves {file} out"


@pytest.mark.parametrize("name", PROCESSES)
def test_packages_are_those_that_the_process_imports(name: str) -> None:
    _, imported = _imports(name)
    listed = _names(IMAGES / "process.txt") | _names(IMAGES / name / "packages.txt")
    assert imported <= listed
    assert listed - imported <= _BY_OTHERS


def test_what_every_process_imports_is_listed_once() -> None:
    common = _names(IMAGES / "process.txt")
    assert not [name for name in PROCESSES if common & _names(IMAGES / name / "packages.txt")]


def test_no_package_comes_under_a_gnu_licence_alone() -> None:
    lines = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    found = {pin.name: of_package(distribution(pin.name)) for pin in pins if not pin.marker or pin.marker.evaluate()}
    assert not {name for name, licence in found.items() if licence == "unknown" or copyleft_alone(licence)}


def test_licences_are_told_apart() -> None:
    assert copyleft_alone("GPL-3.0-or-later")
    assert copyleft_alone("AGPL-3.0-only OR GPL-2.0-only")
    assert copyleft_alone("GNU Lesser General Public License v3 (LGPLv3)")
    assert not copyleft_alone("MIT OR GPL-2.0-only")
    assert not copyleft_alone("BSD-3-Clause AND MIT")


def test_licences_of_models_come_from_their_cards() -> None:
    assert of_model(ROOT / "models" / "ocr_rec") == ["Apache-2.0"]  # whose card sends to another's
    assert {"MIT", "CC BY 4.0"} <= set(of_model(ROOT / "models" / "intent"))


def test_copying_models_leaves_what_is_there_and_can_be_done_again(tmp_path: Path) -> None:
    """A pod's volume belongs to another user, and a node that stops may have copied half of it."""
    script = IMAGES / "models-copy" / "copy_models.py"
    (tmp_path / "from" / "intent" / "1").mkdir(parents=True)
    (tmp_path / "from" / "intent" / "1" / "model.onnx").write_bytes(b"new")
    (tmp_path / "to" / "intent" / "1").mkdir(parents=True)
    (tmp_path / "to" / "intent" / "1" / "model.onnx").write_bytes(b"n")
    command = [sys.executable, str(script), str(tmp_path / "from"), str(tmp_path / "to")]
    subprocess.run(command, check=True, timeout=30)
    assert (tmp_path / "to" / "intent" / "1" / "model.onnx").read_bytes() == b"new"
