"""Which metadata passes the gateway, and what it adds."""

from collections.abc import Iterable

from bankai import vouching
from bankai.interceptors import outgoing_metadata
from bankai.interceptors.vouched import CHANNEL_HEADER
from bankai.vouching import Signer, Vouch
from bankai.watched import Watched
from gateway.policy.model import ALL
from gateway.policy.permit import Permit

RELEASE_TRAILER = "x-bankai-release"
RELEASE_KEY_HEADER = "x-release-key"
SHADOW_HEADER = "x-bankai-shadow"
CREDENTIALS = ("authorization", "x-api-key")
REPLAY_TRAILER = "x-idempotent-replay"
"""Trailing metadata with which the gateway says that an answer was given before."""

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


class Onward:
    """Makes the metadata of calls to the backends.

    Args:
        signer: Vouches for them, and changes with its key; None leaves them unvouched.
    """

    def __init__(self, signer: Watched[Signer] | None) -> None:
        self._signer = signer

    def metadata(self, given: Iterable[Metadatum], permit: Permit, method: str) -> tuple[Metadatum, ...]:
        """The metadata of one call.

        Args:
            given: What the client sent.
            permit: What it may do.
            method: Full path of the method.

        Returns:
            The client's own entries in their order, then the gateway's: request id, trace, channel and token.
        """
        return (
            *(
                (key, value)
                for key, value in given
                if key in _PASSED or (key not in _STOPPED and not key.startswith(_STOPPED_PREFIXES))
            ),
            *outgoing_metadata(),
            (CHANNEL_HEADER, permit.channel),
            *(((vouching.HEADER, self._signer.current.token(_vouch(permit), method)),) if self._signer else ()),
        )


def _vouch(permit: Permit) -> Vouch:
    limits = permit.call_limits
    reads = None if ALL in limits.reads else limits.reads
    return Vouch(permit.channel, limits.languages, limits.document_kinds, reads)


def release_key(metadata: Iterable[Metadatum]) -> str | None:
    """What the client sends along to have its calls served by one release while the weights stay."""
    for key, value in metadata:
        if key == RELEASE_KEY_HEADER and isinstance(value, str):
            return value
    return None
