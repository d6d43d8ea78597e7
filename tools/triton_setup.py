"""Sets up a real Triton server under .triton/, from the pins of requirements/triton.txt: `make triton`.

Does nothing where the set-up of the same pins is there already.
"""

import hashlib
import os
import platform
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from bankai.inference.triton_server import TritonInstallation

_ROOT = Path(__file__).resolve().parents[1]
_PINS = _ROOT / "requirements" / "triton.txt"
_SHIMS = Path(__file__).resolve().parent / "triton_backends"
_OLDEST_GLIBC = (2, 35)


class SetupError(Exception):
    """The set-up cannot go on; the message says why and what to do."""


def main() -> None:
    """Sets up the server, or says why that is not possible and exits with code 1."""
    try:
        set_up(TritonInstallation())
    except SetupError as error:
        sys.exit(f"make triton: {error}")


def set_up(installation: TritonInstallation) -> None:
    """Sets up the server, unless it is there with the same pins already.

    Args:
        installation: Where to.

    Raises:
        SetupError: If that is not possible; the message says why.
    """
    stamp = installation.root / TritonInstallation.STAMP
    wanted = _fingerprint()
    if not stamp.is_file() or stamp.read_text() != wanted:
        _check_platform()
        _build(installation)
        _check_server(installation)
        stamp.write_text(wanted)  # last: a set-up that was cut off starts again
    _say(f"Triton is set up in {installation.root.name}/")


def _fingerprint() -> str:
    """Changes whenever something that the set-up is made of does."""
    digest = hashlib.sha256(f"{sys.version}{sys.base_prefix}".encode())
    for file in (_PINS, Path(__file__), *sorted(_SHIMS.rglob("*.py"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _check_platform() -> None:
    if sys.platform != "linux" or platform.machine() != "x86_64":
        raise SetupError("the Triton server of requirements/triton.txt runs on Linux on x86_64 only")
    library, version = platform.libc_ver()
    if library != "glibc" or tuple(int(part) for part in version.split(".")[:2]) < _OLDEST_GLIBC:
        raise SetupError(f"the Triton server needs glibc {_OLDEST_GLIBC[0]}.{_OLDEST_GLIBC[1]} or newer")


def _build(installation: TritonInstallation) -> None:
    shutil.rmtree(installation.root, ignore_errors=True)
    _say("1/3 an environment of its own (its numpy is older than ours)")
    venv.create(installation.venv, with_pip=True)
    _say("2/3 the server and onnxruntime, about 370 MiB")
    # Without resolving: the file is complete, and the server's wheel asks for much that only its Python code needs.
    pip = [str(installation.venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-deps"]
    _run([*pip, "--disable-pip-version-check", "-r", str(_PINS)], "pip could not install requirements/triton.txt")
    _say("3/3 its backends")
    server = installation.packages / "pytriton" / "tritonserver"
    python = installation.backends / "python"
    shutil.copytree(server / "backends" / "python", python)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    stub = server / "python_backend_stubs" / version / "triton_python_backend_stub"
    if not stub.is_file():
        raise SetupError(f"the server has no stub for Python {version}")
    shutil.copy(stub, python)
    # A wheel does not keep the permission to execute.
    for program in (python / stub.name, installation.binary):
        program.chmod(0o755)
    shutil.copytree(_SHIMS, installation.backends, dirs_exist_ok=True)


def _check_server(installation: TritonInstallation) -> None:
    for program in (installation.binary, installation.backends / "python" / "triton_python_backend_stub"):
        listing = _run(["ldd", str(program)], f"{program.name} cannot be read", installation.environment())
        missing = [line.split()[0] for line in listing.splitlines() if "not found" in line]
        if missing:
            raise SetupError(f"{program.name} lacks {', '.join(missing)}; install what has it and try again")


def _run(command: list[str], failure: str, environment: dict[str, str] | None = None) -> str:
    result = subprocess.run(  # noqa: S603 - the command is ours
        command, env=environment or dict(os.environ), capture_output=True, text=True, check=False
    )
    if result.returncode:
        lines = (result.stderr or result.stdout).strip().splitlines()
        raise SetupError("\n  ".join([f"{failure}:", *lines[-8:]]))
    return result.stdout


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - progress of a command


if __name__ == "__main__":
    main()
