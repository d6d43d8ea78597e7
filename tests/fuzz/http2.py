"""Connections that speak HTTP/2 badly: a good gRPC call, bent in one place or in many."""

import random
import struct
from collections.abc import Sequence

from hpack import Encoder
from hyperframe.frame import (
    DataFrame,
    Frame,
    GoAwayFrame,
    HeadersFrame,
    PingFrame,
    PriorityFrame,
    RstStreamFrame,
    SettingsFrame,
    WindowUpdateFrame,
)

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

_ODD_VALUES = (
    "",
    " ",
    "\x00",
    "a" * 9000,
    "é",
    "\ud7ff",
    "-1",
    "99999999999999999999",
    "grpc-",
    "%ff%fe",
    "\t",
    "Bearer",
    "Bearer a.b.c",
    "00-zz-zz-01",
)
_ODD_NAMES = (
    "grpc-timeout",
    "grpc-encoding",
    "grpc-accept-encoding",
    "content-type",
    "te",
    "authorization",
    "x-api-key",
    "x-request-id",
    "traceparent",
    "tracestate",
    "idempotency-key",
    "x-bankai-channel",
    "x-bankai-vouch",
    "x-release-key",
    "key-bin",
    "Upper",
    ":path",
    ":unknown",
    "connection",
    "",
    "cookie",
)


def session(chance: random.Random, methods: Sequence[str], key: str, frames: int) -> bytes:
    """The bytes of one connection.

    Args:
        chance: Where randomness comes from.
        methods: Paths of methods that exist.
        key: An API key that is good.
        frames: How many frames to send after the first settings.
    """
    encoder = Encoder()
    pieces = [PREFACE if chance.random() < 0.97 else chance.randbytes(24), SettingsFrame(0).serialize()]
    stream = 1
    for _ in range(frames):
        frame = _frame(chance, encoder, methods, key, stream)
        stream += 2 * (chance.random() < 0.5)
        raw = bytearray(frame.serialize() if isinstance(frame, Frame) else frame)
        if chance.random() < 0.3 and raw:
            for _ in range(chance.randint(1, 4)):
                raw[chance.randrange(len(raw))] = chance.randrange(256)
        if chance.random() < 0.05:
            del raw[chance.randrange(len(raw) + 1) :]
        pieces.append(bytes(raw))
    return b"".join(pieces)


def _frame(chance: random.Random, encoder: Encoder, methods: Sequence[str], key: str, stream: int) -> Frame | bytes:
    kind = chance.randrange(10)
    if kind <= 2:
        return HeadersFrame(stream, encoder.encode(_headers(chance, methods, key)), flags=_flags(chance, "END_HEADERS"))
    if kind <= 5:
        return DataFrame(stream, _message(chance), flags=_flags(chance))
    if kind == 6:
        return chance.choice(
            (
                RstStreamFrame(stream, error_code=chance.randrange(20)),
                WindowUpdateFrame(chance.choice((0, stream)), window_increment=chance.choice((1, 65535, 2**31 - 1))),
                PingFrame(0, chance.randbytes(8)),
                GoAwayFrame(0, last_stream_id=stream, error_code=chance.randrange(14)),
                PriorityFrame(stream, depends_on=chance.choice((0, stream)), stream_weight=chance.randrange(256)),
                SettingsFrame(0, settings={chance.randrange(1, 8): chance.choice((0, 1, 16384, 2**31 - 1))}),
            )
        )
    # A header of whatever type, flags, stream and length, with another length behind it.
    length = chance.choice((0, 1, 5, 100, 16384, 2**24 - 1))
    head = struct.pack(">I", length)[1:] + bytes((chance.randrange(256), chance.randrange(256)))
    return (
        head + struct.pack(">I", chance.choice((0, stream, 2**31 - 1))) + chance.randbytes(chance.choice((0, 5, 100)))
    )


def _headers(chance: random.Random, methods: Sequence[str], key: str) -> list[tuple[str, str]]:
    headers = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", chance.choice(methods) if chance.random() < 0.8 else "/" + chance.choice(_ODD_VALUES)),
        (":authority", "gateway"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
        ("x-api-key", key),
    ]
    for _ in range(chance.randrange(4)):
        odd = (chance.choice(_ODD_NAMES), chance.choice(_ODD_VALUES))
        if chance.random() < 0.5:
            headers[chance.randrange(len(headers))] = odd
        else:
            headers.insert(chance.randrange(len(headers) + 1), odd)
    return headers


def _message(chance: random.Random) -> bytes:
    body = chance.randbytes(chance.choice((0, 1, 7, 40, 300)))
    length = len(body) if chance.random() < 0.7 else chance.choice((0, 1, 2**31, 2**32 - 1))
    return bytes((chance.choice((0, 0, 0, 1, 7)),)) + struct.pack(">I", length) + body


def _flags(chance: random.Random, *always: str) -> list[str]:
    return [*always, *(("END_STREAM",) if chance.random() < 0.4 else ())]
