"""The key that seals sessions: 256 random bits, in a file as Base64."""

import base64
import binascii
import secrets
from pathlib import Path

from joserfc.jwk import OctKey

_BYTES = 32


def write_new_key(file: Path) -> None:
    """Makes a key.

    Raises:
        OSError: The file cannot be written.
    """
    file.touch(mode=0o600)
    file.write_bytes(base64.b64encode(secrets.token_bytes(_BYTES)) + b"\n")


def read_key(file: Path) -> OctKey:
    """The key of a file.

    Raises:
        ValueError: It holds none.
    """
    try:
        raw = base64.b64decode(file.read_bytes(), validate=False)
    except (OSError, binascii.Error) as error:
        raise ValueError(f"{file} cannot be read: {error}") from None
    if len(raw) != _BYTES:
        raise ValueError(f"{file} holds no key: make one with bankai gateway new-console-key")
    return OctKey.import_key(raw)
