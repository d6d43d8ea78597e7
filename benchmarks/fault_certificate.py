"""The gateway's certificate, which can end while clients are connected and while they come."""

from datetime import timedelta
from pathlib import Path

from tests.certificates import Authority


class Certificate:
    """A certificate in a folder, as whatever renews a bank's certificates would write it.

    Args:
        folder: Where its files go.

    Attributes:
        ca: Whom its clients trust, as PEM.
        files: File of the chain, file of the key.
    """

    def __init__(self, folder: Path) -> None:
        self._authority = Authority()
        self._folder = folder
        self.ca = self._authority.pem
        self.files = self.renew()

    def renew(self, lasts: timedelta = timedelta(hours=1)) -> tuple[Path, Path]:
        """Puts one in its place that is good from now on for so long; returns its files."""
        return self._authority.issue("gateway", lasts=lasts).write(self._folder, "gateway")
