"""Certificates of a server, which change while it runs: each new connection gets the newest."""

import ssl

import grpc

from bankai.settings import TlsSettings
from bankai.watched import Watched


def server_credentials(settings: TlsSettings) -> grpc.ServerCredentials | None:
    """Credentials that follow the files of the settings; None where they name none.

    Clients must show a certificate where the settings name who signs them: grpc for Python knows no "may".

    Raises:
        ValueError: The files hold no certificate chain with its key, or no authorities.
    """
    cert, key, client_ca = settings.cert, settings.key, settings.client_ca
    if cert is None or key is None:
        return None

    def read() -> grpc.ServerCertificateConfiguration:
        checked_chain(settings)
        return grpc.ssl_server_certificate_configuration(
            [(key.read_bytes(), cert.read_bytes())], client_ca.read_bytes() if client_ca else None
        )

    watched = Watched([file for file in (cert, key, client_ca) if file], read)
    return grpc.dynamic_ssl_server_credentials(
        watched.current, lambda: watched.current, require_client_authentication=client_ca is not None
    )


def checked_chain(settings: TlsSettings) -> ssl.SSLContext:
    """The settings' files as a context of Python's own TLS, which finds what is wrong with them before any handshake.

    Raises:
        ValueError: The files hold no certificate chain with its key, or no authorities.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if settings.cert is not None:
        try:
            context.load_cert_chain(settings.cert, settings.key)
        except OSError as error:
            raise ValueError(f"{settings.cert} and {settings.key}: {error}") from None
    if settings.client_ca is not None:
        try:
            context.load_verify_locations(settings.client_ca)
        except OSError as error:
            raise ValueError(f"{settings.client_ca}: {error}") from None
    return context
