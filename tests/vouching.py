"""What a gateway would say of a call, for tests of the services behind it."""

from pathlib import Path

from bankai.vouching import HEADER, Signer, Vouch, new_key_pair, read_private_key


class Voucher:
    """Vouches as a gateway does.

    Args:
        folder: Where the keys' files go.
    """

    def __init__(self, folder: Path) -> None:
        private, self.public = folder / "vouching.pem", folder / "vouching.pub.pem"
        for file, pem in zip((private, self.public), new_key_pair(), strict=True):
            file.write_bytes(pem)
        self._signer = Signer(read_private_key(private))

    def metadata(self, vouch: Vouch, method: str) -> tuple[tuple[str, str], ...]:
        """Metadata of a call to a method (its full path)."""
        return ((HEADER, self._signer.token(vouch, method)),)
