"""How a command reaches a running gateway."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import grpc

    from bankai.errors import BankaiError

DEFAULT_ADDRESS = "127.0.0.1:50051"
STATE_DIR = Path("var/dev")
"""Where `bankai up` keeps the developer's API key, below the working directory."""
KEY_FILE = STATE_DIR / "api-key"

AddressOption = Annotated[str, typer.Option(help="host:port of the gateway.", envvar="BANKAI_ADDRESS")]
ApiKeyOption = Annotated[
    str | None, typer.Option(help="API key; better given by file or environment.", envvar="BANKAI_API_KEY")
]
ApiKeyFileOption = Annotated[
    Path | None, typer.Option(help=f"File that holds the API key. Without any key, {KEY_FILE} is used if it is there.")
]
CaOption = Annotated[
    Path | None, typer.Option(help="PEM file of the authorities that sign the gateway's certificate; turns TLS on.")
]


@dataclass(frozen=True)
class Connection:
    """Where a gateway is and how to be let in.

    Attributes:
        address: host:port.
        api_key: The key; None sends none, as a service without a gateway before it needs none.
        ca: PEM file of the authorities for TLS; None means plain text.
    """

    address: str
    api_key: str | None = None
    ca: Path | None = None

    @property
    def metadata(self) -> tuple[tuple[str, str], ...]:
        """Metadata to send with every call."""
        return (("authorization", f"Bearer {self.api_key}"),) if self.api_key else ()

    @asynccontextmanager
    async def channel(self) -> "AsyncIterator[grpc.aio.Channel]":
        """A channel that is closed on the way out; errors of its calls become ours.

        Raises:
            BankaiError: A call inside failed.
        """
        import grpc

        from bankai.channel import channel_options
        from bankai.evaluation.inputs import read_text
        from bankai.status import from_rpc_error

        options = channel_options()
        if self.ca is None:
            channel = grpc.aio.insecure_channel(self.address, options)
        else:
            credentials = grpc.ssl_channel_credentials(read_text(self.ca).encode())
            channel = grpc.aio.secure_channel(self.address, credentials, options)
        try:
            async with channel:
                yield channel
        except grpc.aio.AioRpcError as error:
            raise _explained(from_rpc_error(error), self.address) from None


def connection(address: str, api_key: str | None, api_key_file: Path | None, ca: Path | None = None) -> Connection:
    """The connection that a command's options ask for.

    Raises:
        BadInputError: The key's file cannot be read.
    """
    from bankai.evaluation.inputs import read_text

    if api_key is None and (file := api_key_file or (KEY_FILE if KEY_FILE.exists() else None)):
        api_key = read_text(file).strip()
    return Connection(address, api_key, ca)


def _explained(error: "BankaiError", address: str) -> "BankaiError":
    """Says what to do about the errors that everybody meets first."""
    from bankai.errors import UnauthenticatedError, UnavailableError

    if isinstance(error, UnavailableError) and error.reason == "UNAVAILABLE":
        return UnavailableError(error.reason, f"nothing answers at {address}; is it running? `bankai up` starts it")
    if isinstance(error, UnauthenticatedError):
        message = f"{error.message}; see --api-key-file, or BANKAI_API_KEY in the environment"
        return UnauthenticatedError(error.reason, message)
    return error
