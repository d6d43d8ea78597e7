"""What the Containerfiles of images/ say."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.k8s.manifests import ROOT

IMAGES = ROOT / "images"
USER = "10001:10001"
"""User and group of every image."""


def instructions(name: str) -> list[tuple[str, str]]:
    """Instructions of an image's Containerfile with what follows them; a continued line is one.

    Args:
        name: The image's, without "bankai-".
    """
    text = (IMAGES / name / "Containerfile").read_text(encoding="utf-8")
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    return [(keyword, rest) for keyword, _, rest in (line.partition(" ") for line in lines if line)]


def copied(name: str) -> Iterator[Path]:
    """What an image's Containerfile copies out of the repository."""
    for keyword, rest in instructions(name):
        if keyword == "COPY" and not rest.startswith("--from"):
            yield from (ROOT / source for source in rest.split()[:-1])
