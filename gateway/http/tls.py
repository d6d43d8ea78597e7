"""TLS of the HTTP port, with the files of the gRPC server."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bankai.background import beside
from bankai.settings import TlsSettings
from bankai.tls import checked_chain
from bankai.watched import PERIOD_S, Watched


@asynccontextmanager
async def server_context(settings: TlsSettings) -> AsyncIterator[ssl.SSLContext | None]:
    """A context whose certificate follows its files while this one is open; None where the settings name none.

    With `client_ca`, only clients that show a certificate are let in. Authorities that are added to its file are
    trusted a second later; those that are taken out, after a restart.

    Raises:
        OSError: A file cannot be used.
    """
    cert, key, client_ca = settings.cert, settings.key, settings.client_ca
    if cert is None or key is None:
        yield None
        return
    try:
        context = checked_chain(settings)
    except ValueError as error:
        raise OSError(str(error)) from None
    if client_ca is not None:
        context.verify_mode = ssl.CERT_REQUIRED

    def renew() -> ssl.SSLContext:
        checked_chain(settings)
        context.load_cert_chain(cert, key)
        if client_ca is not None:
            context.load_verify_locations(client_ca)
        return context

    watched = Watched([file for file in (cert, key, client_ca) if file], renew)

    async def follow() -> None:
        while watched.current is context:  # noqa: ASYNC110  # files set no event
            await asyncio.sleep(PERIOD_S)

    async with beside(follow()):
        yield context
