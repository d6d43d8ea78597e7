"""Finds out who is calling, and lets nobody else in."""

from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars

from bankai import health
from bankai.errors import UnauthenticatedError
from bankai.interceptors import CallInfo, Context, SyncInterceptor
from bankai.watched import Watched
from gateway.authn import caller
from gateway.authn.access_tokens import TokenChecker
from gateway.authn.api_keys import KeyRing, looks_like_key
from gateway.authn.caller import Caller
from gateway.authn.certificates import ClientCertificate, read_certificate
from gateway.authn.handover import Handover
from gateway.policy.policies import Policies

_BEARER = "bearer "
_OPEN = f"/{health.SERVICE_NAME}/"


class AuthenticationInterceptor(SyncInterceptor):
    """Asks every call but health checks for a client certificate, an access token or an API key.

    Where a call comes with several of them, each must be good, and all that stand for a channel must stand for the same
    one: a key that was stolen from one channel does not work over the connection of another.

    Args:
        policies: Says which channel a certificate and a token's client stand for.
        handover: Brings the certificates of the HTTP port's clients.
        keys: The API keys that are accepted; None accepts none.
        tokens: Checks access tokens; None accepts none.
    """

    def __init__(
        self,
        policies: Policies,
        handover: Handover,
        keys: Watched[KeyRing] | None = None,
        tokens: TokenChecker | None = None,
    ) -> None:
        self._policies = policies
        self._handover = handover
        self._keys = keys
        self._tokens = tokens

    @contextmanager
    def around(self, call: CallInfo, context: Context) -> Iterator[None]:
        """Sets `current_caller()` and binds channel and credential to the logs of the call.

        Raises:
            UnauthenticatedError: CREDENTIAL_REQUIRED, CREDENTIALS_DISAGREE, or what is wrong with the credential.
        """
        if not call.method.startswith(_OPEN):
            found = self._caller(call, context)
            caller.enter(found)
            bind_contextvars(channel=found.channel, credential=found.credential)
        yield

    def _caller(self, call: CallInfo, context: Context) -> Caller:
        certificate = _certificate(context) or self._handover.certificate(call)
        by_certificate = self._by_certificate(certificate) if certificate else None
        raw = _presented(call)
        by_secret = self.by_secret(raw, certificate) if raw is not None else None
        if by_certificate and by_secret and by_certificate.channel != by_secret.channel:
            raise UnauthenticatedError(
                "CREDENTIALS_DISAGREE", "the client certificate and the key or token stand for different channels"
            )
        # A token's scopes narrow down what its channel may do.
        found = by_secret or by_certificate
        if found is None:
            raise self._nobody(certificate)
        return found

    def _by_certificate(self, certificate: ClientCertificate) -> Caller | None:
        certificate.check()
        for name in certificate.names:
            channel = self._policies.current.channel_of_certificate(name)
            if channel is not None:
                return Caller(channel, f"certificate {name}")
        return None

    def by_secret(self, raw: str, certificate: ClientCertificate | None = None) -> Caller:
        """Who an API key or an access token stands for.

        Args:
            raw: The key or token.
            certificate: What the client has shown beside it.

        Raises:
            UnauthenticatedError: Nobody.
        """
        if self._tokens is not None and not looks_like_key(raw):
            token = self._tokens.check(raw)
            if token.bound_to is not None and (certificate is None or certificate.thumbprint != token.bound_to):
                raise UnauthenticatedError(
                    "TOKEN_BOUND_ELSEWHERE", "the access token belongs to another client certificate"
                )
            channel = self._policies.current.channel_of_client(token.client)
            if channel is None:
                raise UnauthenticatedError("CLIENT_UNKNOWN", "the access token's client stands for no channel")
            return Caller(channel, f"token {token.client}", token.scopes)
        if self._keys is None:
            raise UnauthenticatedError("API_KEY_NOT_ACCEPTED", "API keys are not accepted here")
        key = self._keys.current.check(raw)
        return Caller(key.channel, f"key {key.id}")

    def _nobody(self, certificate: ClientCertificate | None) -> UnauthenticatedError:
        if certificate is not None:
            return UnauthenticatedError("CERTIFICATE_UNKNOWN", "the client certificate stands for no channel")
        return UnauthenticatedError(
            "CREDENTIAL_REQUIRED",
            'connect with a client certificate, or send metadata "authorization: Bearer <access token or API key>" or '
            '"x-api-key: <key>"',
        )


def _certificate(context: Context) -> ClientCertificate | None:
    for pem in context.auth_context().get("x509_pem_cert", ()):
        return read_certificate(pem)
    return None


def _presented(call: CallInfo) -> str | None:
    authorization = call.header("authorization")
    if authorization is not None and authorization[: len(_BEARER)].lower() == _BEARER:
        return authorization[len(_BEARER) :].strip()
    return call.header("x-api-key")
