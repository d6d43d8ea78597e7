"""The certificate of the client at the other end of a connection."""

import ssl
from collections.abc import Callable, Sequence

from aiohttp import web

HandOver = Callable[[str], Sequence[tuple[str, str | bytes]]]
"""Makes the metadata that hands a client's certificate (PEM, empty where it has shown none) over to the gRPC side.

The port calls the gateway's own gRPC server over a private socket, on which the certificate cannot be shown. What this
returns is sent along with each call, beside what the client sent itself.
"""


def certificate_of(request: web.Request) -> str:
    """The certificate (PEM) of the client that sent a request, which TLS has verified; empty where there is none."""
    tls = request.get_extra_info("ssl_object")
    der = tls.getpeercert(binary_form=True) if tls is not None else None
    return ssl.DER_cert_to_PEM_cert(der) if der else ""
