"""What the gateway tells a service of each call: a short-lived signed token (RFC 7519, Ed25519 of RFC 9864).

A token stands for one channel and one method, so that a service which is reached in another way, or is handed the
token of another call, can tell. It is good for a minute; within it, the gateway sends the same token with each call of
the channel to the method, and a service checks its signature once.
"""

import time
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from bankai.errors import ForbiddenError, UnauthenticatedError

HEADER = "x-bankai-vouch"
"""Metadata that carries the token."""
LIFETIME_S = 60.0
"""Seconds for which a token is good."""

_ISSUER = "bankai-gateway"
_ALGORITHM = "Ed25519"
_SKEW_S = 5.0
_MAX_TOKENS = 4096
_MAX_CHARS = 8192


@dataclass(frozen=True, slots=True)
class Vouch:
    """What a token says.

    Attributes:
        channel: Channel of the bank that calls.
        languages: Languages that it may send; None means all.
        document_kinds: Kinds of document whose fields it may read; None means all.
        reads: Channels whose results it may read beside its own; None means all.
    """

    channel: str
    languages: tuple[str, ...] | None = None
    document_kinds: tuple[str, ...] | None = None
    reads: tuple[str, ...] | None = ()

    def check_language(self, language: str) -> None:
        """Raises ForbiddenError (LANGUAGE_NOT_ALLOWED) where the channel may not send the language, or names none."""
        if self.languages is not None and language not in self.languages:
            raise ForbiddenError(
                "LANGUAGE_NOT_ALLOWED",
                f"the channel may send {_listed(self.languages)} only, and must say so in the request's language",
            )

    def check_document_kind(self, kind: str) -> None:
        """Raises ForbiddenError (DOCUMENT_KIND_NOT_ALLOWED) where the channel may not read such documents."""
        if self.document_kinds is not None and kind not in self.document_kinds:
            raise ForbiddenError(
                "DOCUMENT_KIND_NOT_ALLOWED",
                f"the document is a {kind}, and the channel may read {_listed(self.document_kinds)} only",
            )

    @property
    def readable(self) -> tuple[str, ...] | None:
        """Channels whose results it may read, change and erase; None means all."""
        return None if self.reads is None else (self.channel, *self.reads)


OWN_WORK = Vouch(channel="", reads=None)
"""What is known outside of calls: a service's own work, such as a batch's, may read all that it keeps."""

_vouch: ContextVar[Vouch] = ContextVar("vouch", default=OWN_WORK)


def current() -> Vouch:
    """What the gateway says of the current call; `OWN_WORK` outside of calls."""
    return _vouch.get()


def enter(vouch: Vouch) -> None:
    """Makes it what is known of the current call, for the rest of the call's task."""
    _vouch.set(vouch)


class Signer:
    """The gateway's side.

    Args:
        key: Private Ed25519 key.
    """

    def __init__(self, key: OKPKey) -> None:
        self._key = key
        self._header = {"alg": _ALGORITHM, "kid": key.thumbprint()}
        self._tokens: dict[tuple[Vouch, str], tuple[float, str]] = {}

    def token(self, vouch: Vouch, method: str) -> str:
        """The token for a call, signed anew when half of its time is over.

        Args:
            vouch: What to say.
            method: Full path of the method, e.g. "/bankai.intent.v1.IntentService/Classify".
        """
        now = time.time()
        renew_at, token = self._tokens.get((vouch, method), (0.0, ""))
        if now >= renew_at:
            if len(self._tokens) >= _MAX_TOKENS:
                self._tokens.clear()
            token = self._signed(vouch, method, now)
            self._tokens[vouch, method] = (now + LIFETIME_S / 2, token)
        return token

    def _signed(self, vouch: Vouch, method: str, now: float) -> str:
        claims: dict[str, Any] = {
            "iss": _ISSUER,
            "aud": method,
            "sub": vouch.channel,
            "iat": int(now),
            "exp": int(now + LIFETIME_S),
        }
        for name in ("languages", "document_kinds", "reads"):
            value = getattr(vouch, name)
            if value is not None:
                claims[name] = list(value)
        return jwt.encode(self._header, claims, self._key, algorithms=[_ALGORITHM])


class Verifier:
    """A service's side.

    Args:
        keys: Public Ed25519 keys of the gateway by their thumbprints (RFC 7638), two of them while it gets a new one.
    """

    def __init__(self, keys: Mapping[str, OKPKey]) -> None:
        self._keys = keys
        self._good: dict[tuple[str, str], tuple[float, Vouch]] = {}

    def check(self, token: str | None, method: str) -> Vouch:
        """What a call's token says.

        Raises:
            UnauthenticatedError: NOT_VOUCHED, where there is no token, or it is not the gateway's, is over, or is for
                another method.
        """
        if token is None:
            raise _not_vouched("this service takes calls through the gateway only")
        until, vouch = self._good.get((token, method), (0.0, None))
        if vouch is None or time.time() >= until:
            until, vouch = self._verified(token, method)
            if len(self._good) >= _MAX_TOKENS:
                self._good.clear()
            self._good[token, method] = (until, vouch)
        return vouch

    def _verified(self, token: str, method: str) -> tuple[float, Vouch]:
        if len(token) > _MAX_CHARS:
            raise _not_vouched("the gateway's token is too long")
        registry = jwt.JWTClaimsRegistry(
            leeway=round(_SKEW_S),
            iss={"essential": True, "value": _ISSUER},
            aud={"essential": True, "value": method},
            sub={"essential": True},
            iat={"essential": True},
            exp={"essential": True},
        )
        try:
            decoded = jwt.decode(token, self._key_of, algorithms=[_ALGORITHM])
            claims = decoded.claims
            registry.validate(claims)
            return claims["exp"] + _SKEW_S, Vouch(
                str(claims["sub"]), *(_names(claims.get(name)) for name in ("languages", "document_kinds", "reads"))
            )
        except (JoseError, ValueError, TypeError, KeyError):
            # Which of them it was helps only who tries: the service's clock and keys are the operator's to check.
            raise _not_vouched("the gateway's token is not valid for this call") from None

    def _key_of(self, obj: Any) -> OKPKey:
        return self._keys[obj.headers()["kid"]]


def new_key_pair() -> tuple[bytes, bytes]:
    """Makes a key pair.

    Returns:
        (the gateway's private key, the services' public key), both as PEM
    """
    key = OKPKey.generate_key("Ed25519")
    return key.as_pem(private=True), key.as_pem(private=False)


def read_private_key(file: Path) -> OKPKey:
    """Reads an Ed25519 private key (PEM).

    Raises:
        ValueError: The file cannot be read or holds none.
    """
    return _imported(file, _text(file), private=True)


def read_public_keys(file: Path) -> Mapping[str, OKPKey]:
    """Reads Ed25519 public keys (PEM, one after the other), by their thumbprints.

    Raises:
        ValueError: The file cannot be read or holds none.
    """
    text = _text(file)
    end = "-----END PUBLIC KEY-----"
    blocks = [block + end for block in text.split(end) if block.strip()]
    keys = [_imported(file, block, private=False) for block in blocks]
    if not keys:
        raise ValueError(f"{file} holds no public key")
    return {key.thumbprint(): key for key in keys}


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} cannot be read: {type(error).__name__}") from None


def _imported(file: Path, pem: str, *, private: bool) -> OKPKey:
    try:
        key = OKPKey.import_key(pem.strip())
    except (JoseError, ValueError, TypeError):
        raise ValueError(f"{file} holds what is no PEM of an Ed25519 key") from None
    if key.curve_name != "Ed25519" or key.is_private != private:
        raise ValueError(f"{file} must hold an Ed25519 {'private' if private else 'public'} key")
    return key


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names) or "nothing"


def _names(value: Any) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("must be a list of names")
    return tuple(value)


def _not_vouched(message: str) -> UnauthenticatedError:
    return UnauthenticatedError("NOT_VOUCHED", message)
