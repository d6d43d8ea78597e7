"""API keys: how they are made, kept and checked.

A key reads `bankai_<id>_<secret>`. The id finds the record; the secret is 256 random bits. Only the SHA-256 of the
whole key is kept: a slow or salted hash guards secrets that people choose and others can guess, which nobody can with
256 random bits, and it would cost milliseconds in every call.
"""

import hmac
import os
import re
import secrets
import string
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Self

import yaml
from pydantic import AwareDatetime, Field, ValidationError, model_validator

from bankai.errors import UnauthenticatedError
from bankai.settings import Group
from bankai.validation import first_problem
from gateway.authn.caller import ChannelName

_PREFIX = "bankai_"
_DOTS_OF_TOKEN = 2
_KEY = re.compile(r"bankai_([a-z]{8,32})_([0-9A-Za-z_-]{43})")
_NOBODY = bytes(32)


class ApiKey(Group):
    """What is kept of a key.

    Attributes:
        id: Public part of the key; names it in logs.
        channel: Channel whose calls come with this key.
        sha256: SHA-256 of the whole key, hexadecimal.
        expires: When it stops being accepted, with its time zone; never where None.
    """

    id: Annotated[str, Field(pattern=r"^[a-z]{8,32}$")]
    channel: ChannelName
    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    expires: AwareDatetime | None = None


class KeyFile(Group):
    """Content of a file of keys."""

    keys: tuple[ApiKey, ...] = ()

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [key.id for key in self.keys]
        for key_id in ids:
            if ids.count(key_id) > 1:
                raise ValueError(f"key {key_id} is there twice")
        return self


class KeyRing:
    """Knows whom a key belongs to.

    Args:
        keys: The keys that are accepted.
    """

    def __init__(self, keys: Sequence[ApiKey]) -> None:
        self._keys = {key.id: (key, bytes.fromhex(key.sha256)) for key in keys}

    def check(self, raw: str) -> ApiKey:
        """Finds the record of a key.

        The time that it takes tells whether an id exists, which is no secret, and nothing about a secret.

        Args:
            raw: The key as the client sent it.

        Raises:
            UnauthenticatedError: API_KEY_UNKNOWN or API_KEY_EXPIRED.
        """
        match = _KEY.fullmatch(raw)
        record, digest = self._keys.get(match[1], (None, _NOBODY)) if match else (None, _NOBODY)
        same = hmac.compare_digest(sha256(raw.encode()).digest(), digest)
        if record is None or not same:
            raise UnauthenticatedError("API_KEY_UNKNOWN", "the API key is not known")
        if record.expires is not None and record.expires <= datetime.now(UTC):
            raise UnauthenticatedError("API_KEY_EXPIRED", "the API key has expired; ask for a new one")
        return record


def looks_like_key(raw: str) -> bool:
    """Whether what a client sent is meant as an API key, and not as an access token."""
    return raw.startswith(_PREFIX) or raw.count(".") != _DOTS_OF_TOKEN


def new_key(channel: str, *, expires: datetime | None = None) -> tuple[str, ApiKey]:
    """Makes a key.

    Args:
        channel: Channel that will use it.
        expires: When it shall stop being accepted, with its time zone.

    Returns:
        The key itself, to hand to the channel and to keep nowhere else, and the record to keep.

    Raises:
        ValueError: The channel's name is not allowed, or the time has no zone.
    """
    # Letters only, lest the redaction of logs take digits for a customer's number.
    key_id = "".join(secrets.choice(string.ascii_lowercase) for _ in range(12))
    raw = f"bankai_{key_id}_{secrets.token_urlsafe(32)}"
    return raw, ApiKey(id=key_id, channel=channel, sha256=sha256(raw.encode()).hexdigest(), expires=expires)


def read_keys(file: Path) -> tuple[ApiKey, ...]:
    """Reads a file of keys (YAML, a list `keys` of records as `ApiKey` describes them).

    Raises:
        ValueError: The file cannot be read or an entry is wrong; the message names the entry and quotes no value.
    """
    try:
        content = yaml.safe_load(file.read_bytes())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise ValueError(f"{file} cannot be read as YAML: {type(error).__name__}") from None
    try:
        return KeyFile.model_validate({} if content is None else content).keys
    except ValidationError as error:
        raise ValueError(f"{file}: {first_problem(error)}") from None


def add_key(file: Path, key: ApiKey) -> None:
    """Adds a record to a file of keys, which only its owner may read; makes the file where there is none.

    Raises:
        ValueError: The file is there but wrong.
        OSError: It cannot be written.
    """
    _write(file, (*(read_keys(file) if file.exists() else ()), key))


def remove_key(file: Path, key_id: str) -> bool:
    """Takes a record out of a file of keys.

    Returns:
        Whether it was there.

    Raises:
        ValueError: The file cannot be read or is wrong.
        OSError: It cannot be written.
    """
    keys = read_keys(file)
    kept = tuple(key for key in keys if key.id != key_id)
    if len(kept) == len(keys):
        return False
    _write(file, kept)
    return True


def _write(file: Path, keys: Sequence[ApiKey]) -> None:
    content = KeyFile(keys=tuple(keys)).model_dump(mode="json", exclude_none=True)
    # Written beside it and renamed, so that a gateway that reads it meanwhile gets the old keys or the new ones.
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            yaml.safe_dump(content, out, sort_keys=False)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink()
        raise
