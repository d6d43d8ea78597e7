"""How a client reaches a gateway, and how it is let in."""

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import grpc

from bankai.channel import channel_options

SERVICE_CONFIG = "service_config.json"
"""Deadlines, and which calls are made again where the gateway is away for a moment (grpc's service config)."""


@dataclass(frozen=True, slots=True)
class Access:
    """Where a gateway is and how to be let in.

    Attributes:
        address: host:port.
        api_key: The channel's API key; empty sends none.
        access_token: An access token of the bank's identity provider; empty sends none.
        ca: PEM file of the authorities that sign the gateway's certificate; None means no TLS.
        cert: PEM file of the client's certificate chain, for gateways that ask for one.
        key: PEM file of its private key.
    """

    address: str
    api_key: str = ""
    access_token: str = ""
    ca: Path | None = None
    cert: Path | None = None
    key: Path | None = None

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Metadata that says who calls."""
        secret = self.api_key or self.access_token
        return (("authorization", f"Bearer {secret}"),) if secret else ()

    def channel(self) -> grpc.aio.Channel:
        """A channel, to be closed by the caller.

        Raises:
            OSError: A file cannot be read.
        """
        config = files("bankai.client").joinpath(SERVICE_CONFIG).read_text(encoding="utf-8")
        options = (*channel_options(), ("grpc.service_config", config))
        if self.ca is None:
            return grpc.aio.insecure_channel(self.address, options)
        credentials = grpc.ssl_channel_credentials(
            self.ca.read_bytes(),
            None if self.key is None else self.key.read_bytes(),
            None if self.cert is None else self.cert.read_bytes(),
        )
        return grpc.aio.secure_channel(self.address, credentials, options)
