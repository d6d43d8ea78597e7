"""Lets in only who shows an API key."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars

from bankai import health
from bankai.errors import UnauthenticatedError
from bankai.interceptors import CallInfo, Context, SyncInterceptor
from gateway.authn import caller
from gateway.authn.api_keys import KeyRing
from gateway.authn.caller import Caller

_BEARER = "bearer "
_OPEN = f"/{health.SERVICE_NAME}/"


class ApiKeyInterceptor(SyncInterceptor):
    """Asks every call but health checks for `authorization: Bearer <key>` or `x-api-key: <key>`.

    Args:
        keys: The keys that are accepted.
    """

    def __init__(self, keys: KeyRing) -> None:
        self._keys = keys

    @contextmanager
    def around(self, call: CallInfo, context: Context) -> Iterator[None]:  # noqa: ARG002  # part of the protocol
        """Sets `current_caller()` and binds channel and key id to the logs of the call.

        Raises:
            UnauthenticatedError: API_KEY_REQUIRED, API_KEY_UNKNOWN or API_KEY_EXPIRED.
        """
        if not call.method.startswith(_OPEN):
            key = self._keys.check(_presented(call))
            caller.enter(Caller(key.channel, f"key {key.id}"))
            bind_contextvars(channel=key.channel, key=key.id)
        yield


def _presented(call: CallInfo) -> str:
    authorization = call.header("authorization")
    if authorization is not None and authorization[: len(_BEARER)].lower() == _BEARER:
        return authorization[len(_BEARER) :].strip()
    key = call.header("x-api-key")
    if key is None:
        raise UnauthenticatedError(
            "API_KEY_REQUIRED", 'send an API key as metadata "authorization: Bearer <key>" or "x-api-key: <key>"'
        )
    return key
