"""Addresses of this machine for processes that are started side by side."""

import contextlib
import secrets
import socket

HOST = "127.0.0.1"

# Below the ports that systems give to outgoing connections, which could take one between now and its use; and any of
# many, as whoever else looks for one now should find another.
_PORTS = range(20_000, 32_000)


def free_ports(count: int) -> list[int]:
    """Different ports that nobody listens on at this moment.

    Raises:
        OSError: There are not so many.
    """
    found: list[int] = []
    for port in secrets.SystemRandom().sample(_PORTS, len(_PORTS)):
        if len(found) == count:
            return found
        with socket.socket() as one, contextlib.suppress(OSError):
            one.bind((HOST, port))
            found.append(port)
    raise OSError(f"there are no {count} free ports on {HOST}")
