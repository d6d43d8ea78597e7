"""Options of client channels that fit our servers."""

from collections.abc import Sequence


def channel_options(
    *, max_message_bytes: int = 4 * 1024 * 1024, keepalive_s: float = 30.0, ping_timeout_s: float = 10.0
) -> Sequence[tuple[str, int | str]]:
    """Options for `grpc.aio.insecure_channel` and its kin.

    Args:
        max_message_bytes: Largest message in either direction, in bytes.
        keepalive_s: Idle time after which the server is pinged; a server of ours allows a ping every two seconds.
        ping_timeout_s: Time without an answer to the ping after which the connection is given up.
    """
    return (
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", max_message_bytes),
        ("grpc.keepalive_time_ms", round(keepalive_s * 1000)),
        ("grpc.keepalive_timeout_ms", round(ping_timeout_s * 1000)),
        # Without it a ping that nobody answers is waited for a minute, whatever the keepalive's own time.
        ("grpc.http2.ping_timeout_ms", round(ping_timeout_s * 1000)),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.max_pings_without_data", 0),
    )
