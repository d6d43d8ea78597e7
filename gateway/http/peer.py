"""Who is at the other end of a connection, as TLS proves."""

import ssl
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from aiohttp import web


@dataclass(frozen=True, slots=True)
class Peer:
    """The client of a connection.

    Attributes:
        address: Its address, without the port.
        certificate_pem: Its certificate, which the TLS handshake has verified; empty where none was asked for.
        uris: URIs of the certificate's subject alternative names, e.g. "spiffe://bank.example/ivr".
    """

    address: str
    certificate_pem: str = ""
    uris: tuple[str, ...] = ()


Vouch = Callable[[Peer], Sequence[tuple[str, str]]]
"""Makes the metadata by which the HTTP port vouches for a client's certificate towards the gateway's own gRPC server.

The port calls that server over a private socket, on which the client's certificate cannot be shown. What this returns
is sent along with each call, beside what the client sent itself.
"""


def vouch_for_nobody(_peer: Peer) -> Sequence[tuple[str, str]]:
    """Adds nothing: only what the client sends with its request lets it in."""
    return ()


def peer_of(request: web.Request) -> Peer:
    """The client that sent a request."""
    tls = request.get_extra_info("ssl_object")
    der = tls.getpeercert(binary_form=True) if tls is not None else None
    if not der:
        return Peer(request.remote or "")
    names: Sequence[Any] = (tls.getpeercert() or {}).get("subjectAltName", ())
    return Peer(
        request.remote or "",
        ssl.DER_cert_to_PEM_cert(der),
        tuple(value for kind, value in names if kind == "URI"),
    )
