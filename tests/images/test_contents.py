"""What is in the images that were built, and in the bills that come with them."""

import json
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from tests.images.containerfile import USER
from tests.k8s.manifests import ROOT
from tools.buildah import buildah, mounted
from tools.images import MODELS, OUT, find_unwanted, packages, tag

pytestmark = [pytest.mark.images, pytest.mark.timeout(900)]  # an image is built before the first

_VALIDATE = """
import sys
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(sys.stdin.read())
sys.exit(str(problem) if problem else 0)
"""


@pytest.fixture(scope="module")
def root(image: str) -> Iterator[Path]:
    with mounted(tag(image)) as root:
        yield root


def test_nothing_is_in_it_that_should_not_be(root: Path) -> None:
    assert list(find_unwanted(root)) == []


def test_commands_for_people_are_left_out(root: Path) -> None:
    assert not [path for name in ("cli", "evaluation", "rollout") for path in (root / "opt" / "bankai").rglob(name)]


def test_its_user_may_change_nothing(image: str, root: Path) -> None:
    config = json.loads(buildah("inspect", "--type=image", tag(image)))["OCIv1"]["config"]
    assert config["User"] == USER
    for path in (root, *root.rglob("*")):
        status = path.lstat()
        if not stat.S_ISLNK(status.st_mode):
            assert status.st_uid == 0, path
            assert stat.S_ISDIR(status.st_mode) or not status.st_mode & (stat.S_ISUID | stat.S_ISGID), path
            assert not status.st_mode & stat.S_IWOTH or status.st_mode & stat.S_ISVTX, path


def test_its_user_may_read_what_is_ours(image: str, root: Path) -> None:
    ours = root if image == "models" else root / "opt"
    assert not [path for path in ours.rglob("*") if not path.stat().st_mode & stat.S_IROTH]


def test_models_are_those_of_the_repository(image: str, root: Path) -> None:
    if image in MODELS:
        assert _files(root / MODELS[image]) == _files(ROOT / "models")


def test_its_bill_is_valid_and_complete(image: str, root: Path) -> None:
    text = (OUT / f"bankai-{image}.cdx.json").read_text(encoding="utf-8")
    python = ROOT / ".ops" / "bin" / "python"
    done = subprocess.run([python, "-c", _VALIDATE], input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    parts = json.loads(text)["components"]
    found = {(canonicalize_name(part["name"]), part["version"]) for part in parts if "version" in part}
    assert {(canonicalize_name(name), version) for name, version, _ in packages(root)} <= found
    models = {part["name"] for part in parts if part["type"] == "machine-learning-model"}
    assert models == ({file.parent.name for file in (ROOT / "models").glob("*/1")} if image in MODELS else set())


def test_its_licences_are_listed(image: str, root: Path) -> None:
    lines = (OUT / f"bankai-{image}.licences.txt").read_text(encoding="utf-8").splitlines()
    for name, version, licence in packages(root):
        assert licence != "unknown"
        assert f"{name} {version}: {licence}" in lines
    if image in MODELS:
        assert "ocr_det 1: Apache-2.0" in lines


def _files(root: Path) -> dict[str, bytes]:
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}
