"""Access tokens of the bank's identity provider: JSON Web Tokens as RFC 9068 profiles them for OAuth 2.0."""

import time
from dataclasses import dataclass
from typing import Any

from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidClaimError, JoseError
from joserfc.jws import extract_compact

from bankai.errors import UnauthenticatedError, UnavailableError
from gateway.authn.settings import TokenSettings
from gateway.authn.token_keys import Keys, PublicKey, TokenKeys

_MAX_CHARS = 8192
_MAX_TOKENS = 4096
_TYPES = ("at+jwt", "application/at+jwt", "jwt", "")
_RETRY_AFTER_S = 1.0


@dataclass(frozen=True, slots=True)
class AccessToken:
    """What a good token says.

    Attributes:
        client: Client of the provider that it was given to.
        scopes: What it allows.
        bound_to: Thumbprint of the certificate that its client must show (RFC 8705); None where it is bound to none.
        until: UNIX time in seconds from which it is no longer accepted.
    """

    client: str
    scopes: frozenset[str]
    bound_to: str | None
    until: float


class TokenChecker:
    """Checks tokens. One that is good is checked once, until it ends or the provider's keys change.

    Args:
        settings: Whose tokens, and for whom.
        keys: The provider's keys.
    """

    def __init__(self, settings: TokenSettings, keys: TokenKeys) -> None:
        self._settings = settings
        self._keys = keys
        self._good: dict[str, AccessToken] = {}
        self._good_by: Keys = {}
        self._claims = jwt.JWTClaimsRegistry(
            leeway=round(settings.clock_skew_s),
            iss={"essential": True, "value": settings.issuer},
            aud={"essential": True, "value": settings.audience},
            exp={"essential": True},
        )

    def check(self, raw: str) -> AccessToken:
        """What a token says.

        Args:
            raw: The token as the client sent it.

        Raises:
            UnauthenticatedError: TOKEN_INVALID, TOKEN_KEY_UNKNOWN, TOKEN_EXPIRED or TOKEN_NOT_FOR_US.
            UnavailableError: TOKEN_KEYS_UNAVAILABLE, where the provider has never been reached.
        """
        keys = self._keys.current
        if keys is not self._good_by:  # a key that was taken back takes its tokens with it
            self._good, self._good_by = {}, keys
        token = self._good.get(raw)
        if token is None or token.until <= time.time():
            if not keys:
                raise UnavailableError(
                    "TOKEN_KEYS_UNAVAILABLE",
                    "the identity provider's keys are not known yet; try again",
                    retry_after=_RETRY_AFTER_S,
                )
            token = self._checked(raw, keys)
            if len(self._good) >= _MAX_TOKENS:
                self._good.clear()
            self._good[raw] = token
        return token

    def _checked(self, raw: str, keys: Keys) -> AccessToken:
        if len(raw) > _MAX_CHARS:
            raise _invalid("the access token is too long")
        try:
            key = self._key(extract_compact(raw.encode()).headers(), keys)
            decoded = jwt.decode(raw, key, algorithms=list(self._settings.algorithms))
            claims = decoded.claims
            self._claims.validate(claims)
            return self._token(claims)
        except UnauthenticatedError:
            raise
        except ExpiredTokenError:
            raise UnauthenticatedError("TOKEN_EXPIRED", "the access token has expired; get a new one") from None
        except InvalidClaimError as error:
            raise UnauthenticatedError(
                "TOKEN_NOT_FOR_US", f"the access token's {error.claim} is not what this gateway asks for"
            ) from None
        except (JoseError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            raise _invalid("the access token is not valid") from None

    def _key(self, header: dict[str, Any], keys: Keys) -> PublicKey:
        """The key that a token names; its type, and no word of the token's, says which algorithms it may check."""
        if str(header.get("typ", "")).lower() not in _TYPES:
            raise _invalid("the token is none for access")
        key_id = header.get("kid")
        key = keys.get(key_id) if isinstance(key_id, str) else next(iter(keys.values())) if len(keys) == 1 else None
        if key is None:
            self._keys.missed()
            raise UnauthenticatedError("TOKEN_KEY_UNKNOWN", "the access token is signed with a key that is not known")
        return key

    def _token(self, claims: dict[str, Any]) -> AccessToken:
        client = next((claims[name] for name in self._settings.client_claims if claims.get(name)), None)
        if not isinstance(client, str):
            raise _invalid("the access token names no client")
        scope = claims.get("scope", claims.get("scp", ""))
        scopes = scope.split() if isinstance(scope, str) else scope
        if not isinstance(scopes, list) or not all(isinstance(each, str) for each in scopes):
            raise _invalid("the access token's scopes are no list of names")
        bound_to = claims.get("cnf", {}).get("x5t#S256")
        if "cnf" in claims and not isinstance(bound_to, str):
            raise _invalid("the access token is bound to something that this gateway cannot check")
        return AccessToken(client, frozenset(scopes), bound_to, claims["exp"] + self._settings.clock_skew_s)


def _invalid(message: str) -> UnauthenticatedError:
    return UnauthenticatedError("TOKEN_INVALID", message)
