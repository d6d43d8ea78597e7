"""Sets up Debian's Chromium and its driver, for the tests of the console: `make chromium`.

Does nothing where both are on the PATH already.
"""

import os
import shutil
import subprocess
import sys

PROGRAMS = ("chromium", "chromedriver")
_PACKAGES = ("chromium", "chromium-driver")


class SetupError(Exception):
    """The set-up cannot go on; the message says why and what to do."""


def main() -> None:
    """Sets Chromium up, or says why that is not possible and exits with code 1."""
    try:
        set_up()
    except SetupError as error:
        sys.exit(f"make chromium: {error}")


def missing() -> list[str]:
    """The programs that are not there."""
    return [name for name in PROGRAMS if shutil.which(name) is None]


def set_up() -> None:
    """Installs the packages, unless their programs are there.

    Raises:
        SetupError: If that is not possible; the message says why.
    """
    if not missing():
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        raise SetupError("only root on Debian can install it; put chromium and chromedriver on the PATH")
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for arguments in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *_PACKAGES]):
        done = subprocess.run(  # noqa: S603  # constant arguments
            ["apt-get", *arguments],  # noqa: S607  # wherever Debian has it
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        if done.returncode:
            raise SetupError(f"apt-get {arguments[0]} failed: {done.stderr.strip().splitlines()[-1:]}")


if __name__ == "__main__":
    main()
