"""Buildah, with a storage of the project's own under .images/."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
STORAGE = ROOT / ".images"
BASES = {"BUILD_BASE": "localhost/bankai-build-base", "RUN_BASE": "localhost/bankai-run-base"}
"""Build argument and the image that `tools.images_setup` makes for it."""


class BuildahError(Exception):
    """Buildah has failed; the message says at what and why."""


def buildah(*arguments: str | Path) -> str:
    """Runs a command of Buildah.

    Args:
        arguments: Command and what follows it.

    Returns:
        What it has printed, without the line's end.

    Raises:
        BuildahError: If it fails.
    """
    command = ["buildah", "--root", str(STORAGE / "storage"), "--runroot", str(STORAGE / "run"), *map(str, arguments)]
    try:
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603  # ours
    except FileNotFoundError:
        raise BuildahError("there is no buildah: run `python -m tools.images_setup` as root, on Debian") from None
    if result.returncode:
        raise BuildahError(f"buildah {arguments[0]} failed:\n{(result.stderr or result.stdout).strip()[-3000:]}")
    return result.stdout.strip()


def have(image: str) -> bool:
    """Whether the storage has an image.

    Args:
        image: Its name, with or without a tag.
    """
    try:
        return bool(buildah("images", "--quiet", image))
    except BuildahError:
        return False


@contextmanager
def mounted(image: str) -> Iterator[Path]:
    """The files of an image.

    Args:
        image: Its name.

    Yields:
        The folder that is its root. What is written there is gone afterwards.
    """
    container = buildah("from", "--pull-never", image)
    try:
        yield Path(buildah("mount", container))
    finally:
        buildah("rm", container)
