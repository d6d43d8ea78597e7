"""Sets up what `make images` takes: Buildah, and two base images made of Debian's packages.

The bases stand for those that a bank names by digest (docs/images.md): one with pip, to build on, and one to run on,
with Python and what it needs, but no shell and no package manager. Does nothing where all of it is there. Needs root.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tools.buildah import BASES, BuildahError, buildah, have

PROGRAMS = {"buildah": "buildah", "debootstrap": "debootstrap", "ip": "iproute2", "runc": "runc"}
"""Program, and the package that has it; the last two start images for tests."""
SUITE = "bookworm"
"""The Debian whose Python is 3.11."""
MIRROR = "http://deb.debian.org/debian"
CERTIFICATES = Path("etc/ssl/certs/ca-certificates.crt")
RUN_PACKAGES = (
    "base-files",
    "ca-certificates",
    "libbz2-1.0",
    "libc6",
    "libcrypt1",
    "libexpat1",
    "libffi8",
    "libgcc-s1",
    "libgomp1",
    "liblzma5",
    "libpython3.11-minimal",
    "libpython3.11-stdlib",
    "libsqlite3-0",
    "libssl3",
    "libstdc++6",
    "libuuid1",
    "media-types",
    "netbase",
    "python3.11-minimal",
    "tzdata",
    "zlib1g",
)
"""Python with what it and compiled packages link to."""


class SetupError(Exception):
    """The set-up cannot go on; the message says why and what to do."""


def main() -> None:
    """Sets everything up, or says why that is not possible and exits with code 1."""
    try:
        set_up()
    except (SetupError, BuildahError) as error:
        sys.exit(f"images set-up: {error}")


def missing() -> list[str]:
    """Programs and base images that are not there."""
    programs = [program for program in PROGRAMS if shutil.which(program) is None]
    return programs or [image for image in BASES.values() if not have(image)]


def set_up() -> None:
    """Installs the programs and makes the base images, each unless it is there.

    Raises:
        SetupError: If that is not possible; the message says why.
        BuildahError: If Buildah fails.
    """
    if missing():
        if shutil.which("apt-get") is None or os.geteuid() != 0:
            raise SetupError("needs Debian and root; elsewhere name base images of your own (docs/images.md)")
        _run(["apt-get", "update", "-qq"])  # a fresh machine may know no packages yet
        packages = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
        if packages:
            _run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages])
        with tempfile.TemporaryDirectory() as folder:
            _commit(_build_base(Path(folder) / "build"), BASES["BUILD_BASE"])
            _commit(_run_base(Path(folder)), BASES["RUN_BASE"])
    _say(f"Images can be built, on {' and '.join(BASES.values())}")


def _build_base(root: Path) -> Path:
    """A small Debian with pip, which trusts whom this machine trusts."""
    _run(["debootstrap", "--variant=minbase", "--include=ca-certificates,python3-pip", SUITE, str(root), MIRROR])
    shutil.copy(Path("/") / CERTIFICATES, root / CERTIFICATES)
    return root


def _run_base(folder: Path) -> Path:
    """The packages' files, and what says of them which they are; none of their scripts is run."""
    packages, root = folder / "packages", folder / "run"
    packages.mkdir()
    _run(["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", *RUN_PACKAGES], packages)
    for name in ("bin", "lib", "lib64", "sbin"):
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    status = root / "var" / "lib" / "dpkg" / "status.d"
    status.mkdir(parents=True)
    for package in sorted(packages.glob("*.deb")):
        _run(["dpkg-deb", "-x", str(package), str(root)])
        control = _run(["dpkg-deb", "-f", str(package)])
        (status / package.name.partition("_")[0]).write_text(control, encoding="utf-8")
    trusted = sorted((root / "usr" / "share" / "ca-certificates" / "mozilla").glob("*.crt"))
    (root / CERTIFICATES).write_bytes(b"".join(file.read_bytes() for file in trusted))
    (root / "etc" / "passwd").write_text("root:x:0:0:root:/:/sbin/nologin\n", encoding="ascii")
    (root / "etc" / "group").write_text("root:x:0:\n", encoding="ascii")
    return root


def _commit(root: Path, image: str) -> None:
    container = buildah("from", "scratch")
    buildah("add", "--quiet", container, root, "/")
    buildah("commit", "--quiet", "--rm", container, image)


def _run(command: list[str], folder: Path | None = None) -> str:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    if result.returncode:
        raise SetupError(f"{' '.join(command[:2])} failed:\n{(result.stderr or result.stdout).strip()[-1000:]}")
    return result.stdout


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # progress of a command


if __name__ == "__main__":
    main()
