"""Settings of the HTTP port."""

from bankai.settings import Group, OptionalAddress, Seconds


class HttpSettings(Group):
    """How the gateway serves JSON over HTTP. TLS is the gRPC server's own: its `tls` holds for both ports.

    Attributes:
        listen: host:port of the HTTP server; empty turns it off.
        heartbeat_s: Silence on an event stream after which a comment is sent, so that proxies do not take it for dead.
    """

    listen: OptionalAddress = ""
    heartbeat_s: Seconds = 15.0
