"""Keys with which the bank's identity provider signs access tokens: a JSON Web Key Set (RFC 7517) by file or URL."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import aiohttp
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from bankai.watched import Watched
from gateway.authn.settings import TokenSettings, is_url

log = structlog.get_logger(__name__)

PublicKey = RSAKey | ECKey | OKPKey
Keys = Mapping[str, PublicKey]
"""Public keys by their ids. A new object at every change."""

_TIMEOUT_S = 5.0
_MAX_BYTES = 1 << 20
_LEAST_PERIOD_S = 5.0
_MIN_RSA_BITS = 2048


class TokenKeys(Protocol):
    """Where the keys come from."""

    @property
    def current(self) -> Keys:
        """The keys that are known now; none while they have never been reached."""

    def missed(self) -> None:
        """Says that a token names a key that is not known: the provider may have a new one."""

    async def follow(self) -> None:
        """Keeps the keys up to date until it is cancelled."""


class FileTokenKeys:
    """Keys in a file, read again when it changes.

    Args:
        file: The file.

    Raises:
        ValueError: It cannot be read or holds no key set.
    """

    def __init__(self, file: Path) -> None:
        self._watched = Watched((file,), lambda: _read(file))

    @property
    def current(self) -> Keys:
        """As the protocol says."""
        return self._watched.current

    def missed(self) -> None:
        """Nothing to do: the file is looked at anyway."""

    async def follow(self) -> None:
        """Nothing to do."""


class UrlTokenKeys:
    """Keys that the provider serves, fetched now and then, and when a token names an unknown one.

    A provider that does not answer changes nothing: the keys that were known stay so.

    Args:
        url: https://...
        period_s: Seconds between two looks.
    """

    def __init__(self, url: str, period_s: float) -> None:
        self._url = url
        self._period_s = period_s
        self._wanted = asyncio.Event()
        self.current: Keys = {}
        """As the protocol says."""

    def missed(self) -> None:
        """Has the keys fetched soon, though never more often than every few seconds."""
        self._wanted.set()

    async def follow(self) -> None:
        """As the protocol says."""
        timeout = aiohttp.ClientTimeout(total=_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                await self._fetch(session)
                await asyncio.sleep(_LEAST_PERIOD_S)
                try:
                    async with asyncio.timeout(self._period_s - _LEAST_PERIOD_S if self.current else _LEAST_PERIOD_S):
                        await self._wanted.wait()
                except TimeoutError:
                    pass
                self._wanted.clear()

    async def _fetch(self, session: aiohttp.ClientSession) -> None:
        try:
            async with session.get(self._url, allow_redirects=False) as response:
                response.raise_for_status()
                raw = await response.content.read(_MAX_BYTES)
            keys = parse(raw)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            log.warning("the identity provider's keys cannot be had", problem=type(error).__name__)
            return
        if keys.keys() != self.current.keys():
            log.info("the identity provider's keys have changed", keys=sorted(keys))
            self.current = keys


def parse(raw: bytes) -> Keys:
    """Reads a key set. Keys that are not for signatures are passed over.

    Raises:
        ValueError: It is none, has no key that can check a signature, or holds a secret key.
    """
    try:
        keys = KeySet.import_key_set(json.loads(raw)).keys
    except (JoseError, ValueError, TypeError, KeyError, AttributeError):
        raise ValueError("no JSON Web Key Set") from None
    found: dict[str, PublicKey] = {}
    for key in keys:
        described: dict[str, Any] = key.as_dict(private=False)
        if described.get("use", "sig") != "sig":
            continue
        if not isinstance(key, PublicKey) or key.is_private:
            raise ValueError("the key set holds a secret key; it must hold public keys only")
        if isinstance(key, RSAKey) and key.public_key.key_size < _MIN_RSA_BITS:
            raise ValueError(f"the key set holds an RSA key of fewer than {_MIN_RSA_BITS} bits")
        found[described.get("kid") or key.thumbprint()] = key
    if not found:
        raise ValueError("the key set holds no key for signatures")
    return found


def _read(file: Path) -> Keys:
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise ValueError(f"{file} cannot be read: {type(error).__name__}") from None
    try:
        return parse(raw)
    except ValueError as error:
        raise ValueError(f"{file}: {error}") from None


def open_token_keys(settings: TokenSettings) -> TokenKeys:
    """The keys of the settings' file or URL.

    Raises:
        ValueError: The file cannot be read or holds no key set.
    """
    if is_url(settings.jwks):
        return UrlTokenKeys(settings.jwks, settings.refresh_s)
    return FileTokenKeys(Path(settings.jwks))
