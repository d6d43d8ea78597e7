"""What our processes are compared with."""

from dataclasses import dataclass

from bankai.cli.connection import Connection


@dataclass(frozen=True)
class Peer:
    """How to reach a running peer, and which process it is.

    Attributes:
        connection: Its gRPC endpoint.
        pids: Its process id by its name.
    """

    connection: Connection
    pids: dict[str, int]
