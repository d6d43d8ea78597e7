"""Builds the images of images/, and says what is in them: `make images`.

Each gets a bill of materials (CycloneDX) and a list of licences under build/images/. An image with a compiler, pip or
torch is refused, and one with a Python package that is not as requirements/run.txt pins it or comes under a GNU licence
alone.
"""

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import licences
from tools.buildah import BASES, ROOT, BuildahError, buildah, mounted
from tools.images_setup import SetupError, set_up

NAMES = ("gateway", "intent", "doc-extract", "progress-monitor", "models", "models-copy")
OUT = ROOT / "build" / "images"
PACKAGES = Path("opt/packages")
"""Where an image has its Python packages."""
MODELS = {"models": "", "models-copy": "models"}
"""Where those with models have them."""
_SYFT = ROOT / ".ops" / "bin" / "syft"
_UNWANTED_PROGRAMS = frozenset(("pip", "pip3", "cc", "gcc", "g++", "c++", "clang", "ld", "as", "make"))
_UNWANTED_PACKAGES = frozenset(("pip", "setuptools", "torch"))


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"which, of {', '.join(NAMES)}; all unless given")
    parser.add_argument("--build-base", help="image with Python 3.11 and pip, by digest; one is made of Debian")
    parser.add_argument("--run-base", help="image with Python 3.11, without pip; the same")
    parser.add_argument("--pip-conf", type=Path, help="how pip reaches your registry; it stays out of the image")
    options = parser.parse_args()
    given = {"BUILD_BASE": options.build_base, "RUN_BASE": options.run_base}
    try:
        if not all(given.values()):
            set_up()
        for name in options.names or NAMES:
            build(name, {base: given[base] or ours for base, ours in BASES.items()}, options.pip_conf)
            with mounted(tag(name)) as root:
                take_stock(name, root)
                unwanted = sorted(find_unwanted(root))
                _say(f"{tag(name)}: {size(root) / 1e6:.0f} MB")
            if unwanted:
                sys.exit(f"{tag(name)} has what no image should: {', '.join(unwanted)}")
    except (SetupError, BuildahError) as error:
        sys.exit(f"make images: {error}")


def tag(name: str) -> str:
    """Name and tag of an image; the tag is the project's version.

    Args:
        name: One of NAMES.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return f"bankai-{name}:{project['version']}"


def build(name: str, bases: dict[str, str], pip_conf: Path | None = None) -> None:
    """Builds an image.

    Args:
        name: One of NAMES.
        bases: Image by build argument.
        pip_conf: How pip reaches a registry, where the base does not know.

    Raises:
        BuildahError: If it cannot be built.
    """
    file = ROOT / "images" / name / "Containerfile"
    text = file.read_text(encoding="utf-8")
    arguments = [f"--build-arg={base}={image}" for base, image in bases.items() if f"ARG {base}" in text]
    if pip_conf:
        arguments.append(f"--secret=id=pip.conf,src={pip_conf}")
    # Isolated by chroot alone, which needs no more rights than a build has anyway: the instructions are ours.
    options = ["--isolation=chroot", "--format=oci", "--layers", "--quiet", f"--tag={tag(name)}", f"--file={file}"]
    buildah("bud", *options, *arguments, ROOT)


def size(root: Path) -> int:
    """Bytes of an image, unpacked.

    Args:
        root: Its files.
    """
    return sum(path.lstat().st_size for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def take_stock(name: str, root: Path) -> None:
    """Writes an image's bill of materials and list of licences.

    Args:
        name: One of NAMES.
        root: Its files.

    Raises:
        BuildahError: If syft fails.
    """
    OUT.mkdir(parents=True, exist_ok=True)
    models = [_model(file) for file in sorted((root / MODELS.get(name, "none")).glob("*/[0-9]*/model.onnx"))]
    bill = _scanned(name, root)
    bill["metadata"]["component"]["type"] = "container"
    bill["components"] = [*bill.get("components", ()), *models]
    (OUT / f"bankai-{name}.cdx.json").write_text(json.dumps(bill, indent=1), encoding="utf-8")
    rows = [f"{what} {version}: {licence}" for what, version, licence in packages(root)]
    base = (each for each in bill["components"] if each.get("purl", "").startswith("pkg:deb/"))
    rows += [f"{each['name']} {each['version']}: {_named_licences(each)}" for each in (*models, *base)]
    (OUT / f"bankai-{name}.licences.txt").write_text("\n".join([*rows, ""]), encoding="utf-8")


def packages(root: Path) -> list[tuple[str, str, str]]:
    """Name, version and licence of each Python package of an image.

    Args:
        root: The image's files.
    """
    found = distributions(path=[str(root / PACKAGES)])
    rows = ((package.name, package.version, licences.of_package(package)) for package in found)
    return sorted(rows, key=lambda row: row[0].lower())


def find_unwanted(root: Path) -> Iterator[str]:
    """What no image should have.

    Args:
        root: The image's files.

    Yields:
        The path in the image of each; a package with what is wrong with it.
    """
    for path in root.rglob("*"):
        program = path.name in _UNWANTED_PROGRAMS and path.parent.name in ("bin", "sbin")
        if program or (path.name in _UNWANTED_PACKAGES and (path / "__init__.py").exists()):
            yield f"/{path.relative_to(root)}"
    pins = _pins()
    for name, version, licence in packages(root):
        if licences.copyleft_alone(licence):
            yield f"{name} ({licence})"
        if pins.get(canonicalize_name(name)) != version:
            yield f"{name} {version} (requirements/run.txt does not pin it)"


def _pins() -> dict[str, str]:
    """Version by package of what the lock allows."""
    lines = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if not line.startswith("#")]
    return {canonicalize_name(pin.name): str(pin.specifier).removeprefix("==") for pin in pins}


def _scanned(name: str, root: Path) -> dict[str, Any]:
    """The bill of what the base and Python have installed."""
    image, _, version = tag(name).partition(":")
    command = [str(_SYFT), "scan", f"dir:{root}", f"--source-name={image}", f"--source-version={version}"]
    command += ["--output=cyclonedx-json", "--quiet"]
    environment = os.environ | {"SYFT_CHECK_FOR_APP_UPDATE": "false"}  # it would ask its makers
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    if result.returncode:
        raise BuildahError(f"syft failed:\n{result.stderr[-1000:]}")
    bill: dict[str, Any] = json.loads(result.stdout)
    return bill


def _model(file: Path) -> dict[str, Any]:
    """A version of a model, as CycloneDX has it."""
    model, version = file.parents[1], file.parent.name
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{model.name}@{version}",
        "name": model.name,
        "version": version,
        "hashes": [{"alg": "SHA-256", "content": hashlib.sha256(file.read_bytes()).hexdigest()}],
        "licenses": [{"license": {"name": licence}} for licence in licences.of_model(model)],
    }


def _named_licences(component: dict[str, Any]) -> str:
    """The licences of a component, as CycloneDX has them."""
    entries = (entry.get("license", entry) for entry in component.get("licenses", ()))
    names = (entry.get("id") or entry.get("name") or entry.get("expression") for entry in entries)
    return ", ".join(map(str, names)) or "unknown"  # some packages of Debian tell people and no programs


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # progress of a command


if __name__ == "__main__":
    main()
