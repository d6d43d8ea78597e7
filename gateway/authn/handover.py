"""Hands the certificate of a client of the HTTP port over to the gRPC side of the same process.

The HTTP port calls the gateway's own gRPC server over a socket on which the client's certificate cannot be shown. So it
sends the certificate along, with a secret that only this process knows.
"""

import hmac
import secrets
from collections.abc import Sequence

from bankai.interceptors import CallInfo
from gateway.authn.certificates import ClientCertificate, read_certificate

CERTIFICATE_HEADER = "x-bankai-client-certificate-bin"
PROOF_HEADER = "x-bankai-handover"


class Handover:
    """Both sides; one for a process."""

    def __init__(self) -> None:
        self._proof = secrets.token_urlsafe(32)

    def metadata(self, certificate_pem: str) -> Sequence[tuple[str, str | bytes]]:
        """What the HTTP port sends along.

        Args:
            certificate_pem: The certificate, which TLS has verified; empty where the client has shown none.
        """
        if not certificate_pem:
            return ()
        return ((CERTIFICATE_HEADER, certificate_pem.encode()), (PROOF_HEADER, self._proof))

    def certificate(self, call: CallInfo) -> ClientCertificate | None:
        """The certificate that was handed over with a call, if there is one and the HTTP port of this process sent it.

        Raises:
            UnauthenticatedError: CERTIFICATE_INVALID.
        """
        proof = call.header(PROOF_HEADER)
        if proof is None or not hmac.compare_digest(proof.encode(), self._proof.encode()):
            return None
        pem = next((value for name, value in call.metadata if name == CERTIFICATE_HEADER), None)
        return read_certificate(pem) if isinstance(pem, bytes) else None
