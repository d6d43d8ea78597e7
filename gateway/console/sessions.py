"""Who is signed in, without anything being kept: the credential itself, sealed (JWE, RFC 7516), in a cookie.

The gateway opens the seal at every call and checks the credential as any other, so that a key that was taken back ends
the session at once, and all gateways that have the key of the seal know all sessions.
"""

import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from bankai.errors import UnauthenticatedError
from gateway.console.settings import ConsoleSettings

LOGIN_S = 300.0
"""Seconds for which a one-time login is good."""

_HEADER = {"alg": "dir", "enc": "A256GCM"}
_RENEWED_S = 60.0
_MAX_USED = 10_000


@dataclass(frozen=True, slots=True)
class Session:
    """What a cookie says.

    Attributes:
        credential: The API key or access token with which the person signed in.
        began: When they signed in, in seconds since 1970.
        seen: When the cookie was made.
    """

    credential: str
    began: float
    seen: float


class Sessions:
    """Seals and opens sessions, and logins that are good once.

    Args:
        key: The key of the seal.
        settings: How long sessions last.
    """

    def __init__(self, key: OctKey, settings: ConsoleSettings) -> None:
        self._key = key
        self._settings = settings
        self._used: OrderedDict[str, None] = OrderedDict()

    def begin(self, credential: str) -> str:
        """A cookie for whoever signs in now."""
        now = time.time()
        return self._seal({"credential": credential, "began": now, "seen": now})

    def session(self, cookie: str) -> Session:
        """The session of a cookie.

        Raises:
            UnauthenticatedError: SESSION_OVER.
        """
        said = self._open(cookie)
        if said.keys() != {"credential", "began", "seen"}:
            raise _over()
        found = Session(**said)
        now = time.time()
        if now > found.seen + self._settings.idle_s or now > found.began + self._settings.session_s:
            raise _over()
        return found

    def renewed(self, session: Session) -> str | None:
        """A newer cookie for a session that is used; None while the old one will do."""
        now = time.time()
        if now < session.seen + _RENEWED_S:
            return None
        return self._seal({"credential": session.credential, "began": session.began, "seen": now})

    def login(self, credential: str) -> str:
        """A login that is good once, for a few minutes, at one gateway."""
        return self._seal(
            {"login": secrets.token_urlsafe(16), "credential": credential, "until": time.time() + LOGIN_S}
        )

    def redeem(self, login: str) -> str:
        """The credential of a login, which is used up by this.

        Raises:
            UnauthenticatedError: LOGIN_USED.
        """
        said = self._open(login)
        if "login" not in said or time.time() > said["until"] or said["login"] in self._used:
            raise UnauthenticatedError("LOGIN_USED", "the login was used before or has expired: ask for another one")
        self._used[said["login"]] = None
        if len(self._used) > _MAX_USED:
            self._used.popitem(last=False)
        return str(said["credential"])

    def _seal(self, said: Mapping[str, Any]) -> str:
        return jwe.encrypt_compact(_HEADER, json.dumps(said).encode(), self._key)

    def _open(self, sealed: str) -> dict[str, Any]:
        try:
            opened = jwe.decrypt_compact(sealed, self._key, algorithms=list(_HEADER.values()))
            said: dict[str, Any] = json.loads(opened.plaintext or b"{}")
        except (JoseError, ValueError):
            raise _over() from None
        return said


def _over() -> UnauthenticatedError:
    return UnauthenticatedError("SESSION_OVER", "the session has ended: sign in again")
