"""Ed25519 keys that sign the audit log: the gateway holds the private one, whoever verifies the public one."""

import base64
import os
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from gateway.audit.letters import to_letters

# A signature of this log is one of nothing else.
_CONTEXT = b"bankai audit checkpoint 1\n"
_ID_BYTES = 8


class Signer:
    """Signs checkpoints.

    Args:
        key: The private key.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.key_id = _key_id(key.public_key())
        """Names the key in the log."""

    def sign(self, body: bytes) -> str:
        """Signature of a record's bytes, in Base64."""
        return base64.b64encode(self._key.sign(_CONTEXT + body)).decode()


class Verifier:
    """Checks signatures of checkpoints.

    Args:
        keys: The public keys that are trusted.
    """

    def __init__(self, keys: Iterable[Ed25519PublicKey]) -> None:
        self._keys = {_key_id(key): key for key in keys}

    def knows(self, key_id: str) -> bool:
        """Whether the key is trusted."""
        return key_id in self._keys

    def accepts(self, key_id: str, body: bytes, signature: str) -> bool:
        """Whether a trusted key has signed a record's bytes."""
        key = self._keys.get(key_id)
        if key is None:
            return False
        try:
            key.verify(base64.b64decode(signature), _CONTEXT + body)
        except (InvalidSignature, ValueError):
            return False
        return True


def read_private_key(file: Path) -> Ed25519PrivateKey:
    """Reads a private key, PEM without a password.

    Raises:
        ValueError: The file cannot be read or holds no such key.
    """
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror})") from None
    except (ValueError, TypeError):
        raise ValueError(f"{file} is no private key in PEM without a password") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError(f"{file} is no Ed25519 key")  # noqa: TRY004  # of the file's content, not of an argument
    return key


def read_public_key(file: Path) -> Ed25519PublicKey:
    """Reads a public key, PEM.

    Raises:
        ValueError: The file cannot be read or holds no such key.
    """
    try:
        key = load_pem_public_key(file.read_bytes())
    except OSError as error:
        raise ValueError(f"{file} cannot be read ({error.strerror})") from None
    except ValueError:
        raise ValueError(f"{file} is no public key in PEM") from None
    if not isinstance(key, Ed25519PublicKey):
        raise ValueError(f"{file} is no Ed25519 key")  # noqa: TRY004  # of the file's content, not of an argument
    return key


def write_new_key(private: Path, public: Path) -> str:
    """Makes a pair of keys; the private one is for its owner's eyes only.

    Returns:
        The key's id.

    Raises:
        OSError: A file is there already or cannot be written.
    """
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    _write_new(public, key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo), 0o644)
    try:
        _write_new(private, pem, 0o600)
    except OSError:
        public.unlink()
        raise
    return _key_id(key.public_key())


def _write_new(file: Path, content: bytes, mode: int) -> None:
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as stream:
        stream.write(content)


def _key_id(key: Ed25519PublicKey) -> str:
    return to_letters(sha256(key.public_bytes_raw()).digest()[:_ID_BYTES])
