"""Client certificates (mTLS): which names of the policy one stands for. grpc has checked its chain in the handshake."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from joserfc.util import urlsafe_b64encode

from bankai.errors import UnauthenticatedError


@dataclass(frozen=True, slots=True)
class ClientCertificate:
    """What is of interest in a certificate.

    Attributes:
        names: URIs of its subject alternative names, then its subject as RFC 4514 writes it.
        thumbprint: SHA-256 of the certificate as RFC 8705 writes it in tokens that are bound to it.
        expires: When it stops being valid.
    """

    names: Sequence[str]
    thumbprint: str
    expires: datetime

    def check(self) -> None:
        """Refuses a certificate that has expired since its connection was made.

        Raises:
            UnauthenticatedError: CERTIFICATE_EXPIRED.
        """
        if self.expires <= datetime.now(UTC):
            raise UnauthenticatedError(
                "CERTIFICATE_EXPIRED", "the client certificate has expired; connect with a new one"
            )


@lru_cache(maxsize=1024)
def read_certificate(pem: bytes) -> ClientCertificate:
    """Reads a certificate that TLS has accepted.

    Args:
        pem: The certificate, as PEM.

    Raises:
        UnauthenticatedError: CERTIFICATE_INVALID, where it holds what the standards do not allow.
    """
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        names = (*_uris(certificate), certificate.subject.rfc4514_string())
    except ValueError:
        raise UnauthenticatedError("CERTIFICATE_INVALID", "the client certificate cannot be read") from None
    digest = sha256(certificate.public_bytes(Encoding.DER)).digest()
    return ClientCertificate(names, urlsafe_b64encode(digest).decode(), certificate.not_valid_after_utc)


def _uris(certificate: x509.Certificate) -> Sequence[str]:
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    except x509.ExtensionNotFound:
        return ()
    return [uri for uri in extension.value.get_values_for_type(x509.UniformResourceIdentifier) if urlsplit(uri).scheme]
