"""Certificates of a server, which change while it runs: each new connection gets the newest."""

import ssl
from pathlib import Path

import grpc
from cryptography import x509
from prometheus_client import Gauge

from bankai.settings import TlsSettings
from bankai.watched import Watched

_NOT_AFTER = Gauge(
    "bankai_certificate_not_after_timestamp_seconds",
    "When the first certificate of a chain in force ends, in seconds since 1970: that shown to clients, or to servers.",
    ("shown_to",),
)


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
    _load(context, settings.client_ca, settings.cert, settings.key)
    _note_end("clients", settings.cert)
    return context


def check_files(*, ca: Path, cert: Path | None, key: Path | None) -> None:
    """Looks for what is wrong with a client's files before any handshake.

    Raises:
        ValueError: They hold no certificate chain with its key, or no authorities.
    """
    _load(ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), ca, cert, key)
    _note_end("servers", cert)


def _load(context: ssl.SSLContext, ca: Path | None, cert: Path | None, key: Path | None) -> None:
    if cert is not None:
        try:
            context.load_cert_chain(cert, key)
        except OSError as error:
            raise ValueError(f"{cert} and {key}: {error}") from None
    if ca is not None:
        try:
            context.load_verify_locations(ca)
        except OSError as error:
            raise ValueError(f"{ca}: {error}") from None


def _note_end(shown_to: str, chain: Path | None) -> None:
    """Tells the metrics when a chain that was found good ends."""
    if chain is not None:
        ends = [each.not_valid_after_utc for each in x509.load_pem_x509_certificates(chain.read_bytes())]
        _NOT_AFTER.labels(shown_to).set(min(ends).timestamp())
