"""Which metadata passes the gateway, and what it adds."""

from collections.abc import Iterable

from bankai.interceptors import outgoing_metadata

CHANNEL_HEADER = "x-bankai-channel"
RELEASE_TRAILER = "x-bankai-release"
RELEASE_KEY_HEADER = "x-release-key"
SHADOW_HEADER = "x-bankai-shadow"
CREDENTIALS = ("authorization", "x-api-key")

Metadatum = tuple[str, str | bytes]

# What belongs to one connection, what the gateway says anew, and the credentials, which are for the gateway only.
_STOPPED = frozenset(
    (
        *CREDENTIALS,
        "connection",
        "content-type",
        "cookie",
        "host",
        "keep-alive",
        "te",
        "traceparent",
        "tracestate",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "user-agent",
        "x-request-id",
    )
)
# Only the gateway may say what starts with x-bankai-.
_STOPPED_PREFIXES = (":", "grpc-", "proxy-", "x-bankai-")
_PASSED = frozenset(("grpc-tags-bin", "grpc-trace-bin"))


def onward(metadata: Iterable[Metadatum], channel: str) -> tuple[Metadatum, ...]:
    """The metadata of the call to the backend.

    Args:
        metadata: What the client sent.
        channel: Channel that its key stands for.

    Returns:
        The client's own entries in their order, then the gateway's: request id, trace and channel.
    """
    return (
        *(
            (key, value)
            for key, value in metadata
            if key in _PASSED or (key not in _STOPPED and not key.startswith(_STOPPED_PREFIXES))
        ),
        *outgoing_metadata(),
        (CHANNEL_HEADER, channel),
    )


def release_key(metadata: Iterable[Metadatum]) -> str | None:
    """What the client sends along to have its calls served by one release while the weights stay."""
    for key, value in metadata:
        if key == RELEASE_KEY_HEADER and isinstance(value, str):
            return value
    return None
