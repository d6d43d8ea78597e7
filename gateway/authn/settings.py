"""Settings of authentication."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from bankai.settings import Group, Seconds

Algorithm = Literal["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "Ed25519"]
"""Algorithms with a public key alone: with a secret, whoever checks could sign, too."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def is_url(jwks: str) -> bool:
    """Whether a setting names a URL, and not a file."""
    return "://" in jwks


def _jwks(value: str) -> str:
    if not is_url(value):
        if not Path(value).is_file():
            raise ValueError(f"{value} is no file")
        return value
    parts = urlsplit(value)
    if parts.scheme != "https" and not (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        raise ValueError("must be an https:// URL or a file: whoever can change the keys can sign")
    return value


class TokenSettings(Group):
    """Whose access tokens are accepted.

    Attributes:
        issuer: The identity provider, as its tokens name it ("iss").
        audience: This gateway, as tokens for it name it ("aud").
        jwks: The provider's key set: a file, or a URL.
        algorithms: Signature algorithms that are accepted.
        clock_skew_s: By how much the provider's clock may be off.
        client_claims: Claims that may name the client, the first one that is there.
        refresh_s: Seconds between two looks at a URL of keys.
    """

    issuer: Annotated[str, Field(min_length=1)]
    audience: Annotated[str, Field(min_length=1)]
    jwks: Annotated[str, AfterValidator(_jwks)]
    algorithms: Annotated[tuple[Algorithm, ...], Field(min_length=1)] = ("RS256", "PS256", "ES256", "Ed25519")
    clock_skew_s: Annotated[float, Field(ge=0, le=300)] = 30.0
    client_claims: Annotated[tuple[str, ...], Field(min_length=1)] = ("client_id", "azp", "sub")
    refresh_s: Annotated[Seconds, Field(ge=10)] = 300.0
