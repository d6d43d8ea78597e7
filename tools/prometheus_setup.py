"""Sets up Debian's Prometheus, for the tests of observability/: `make prometheus`.

The package is unpacked under .prometheus/ and not installed, which would start it on this machine and take root. Does
nothing where Prometheus is on the PATH or set up already.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1] / ".prometheus"
PROGRAMS = ("prometheus", "promtool")


class SetupError(Exception):
    """The set-up cannot go on; the message says why and what to do."""


def main() -> None:
    """Sets Prometheus up, or says why that is not possible and exits with code 1."""
    try:
        set_up(ROOT)
    except SetupError as error:
        sys.exit(f"make prometheus: {error}")


def program(name: str, root: Path = ROOT) -> Path | None:
    """Where a program of Prometheus is; None where it is not.

    Args:
        name: One of PROGRAMS.
        root: Where `set_up` has put it.
    """
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{root / 'usr' / 'bin'}")
    return Path(found) if found else None


def set_up(root: Path) -> None:
    """Unpacks the package, unless its programs are there.

    Args:
        root: Where to.

    Raises:
        SetupError: If that is not possible; the message says why.
    """
    if not all(program(name, root) for name in PROGRAMS):
        if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
            raise SetupError("there is no apt-get; install Prometheus so that prometheus and promtool are on the PATH")
        shutil.rmtree(root, ignore_errors=True)
        with tempfile.TemporaryDirectory() as folder:
            _unpack(Path(folder), root)
    _say(f"Prometheus is set up: {program(PROGRAMS[0], root)}")


def _unpack(folder: Path, root: Path) -> None:
    if os.geteuid() == 0:  # a fresh machine may know no packages yet; others' lists are their administrator's
        _run(["apt-get", "update", "-qq"], folder)
    _run(["apt-get", "download", "-qq", "-o", "APT::Sandbox::User=root", "prometheus"], folder)
    (package,) = folder.glob("prometheus_*.deb")
    _run(["dpkg-deb", "-x", str(package), str(root)], folder)


def _run(command: list[str], folder: Path) -> None:
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    if result.returncode:
        raise SetupError(f"{' '.join(command[:2])} failed:\n{(result.stderr or result.stdout).strip()[-1000:]}")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201  # progress of a command


if __name__ == "__main__":
    main()
