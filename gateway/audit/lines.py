"""The lines of the audit log: how they are written and read.

    {"hash":"<SHA-256>","record":{...}}
    {"hash":"<SHA-256>","record":{"event":"checkpoint",...},"signature":"<Ed25519>"}

A record is canonical JSON as RFC 8785 defines it, and the hash is the SHA-256 of its bytes. Each record holds the hash
of the one before it and its own place in the chain, so that no line can be changed, moved, repeated or taken out alone.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Any

from pydantic_core import from_json, to_json

FIRST_HASH = "0" * 64
"""What the first record of a chain holds as the hash of the one before it."""
MAX_LINE_BYTES = 64 * 1024
"""Longest line: a client names the method, and what it may name is bounded by grpc's limit of headers."""
CHECKPOINT = "checkpoint"
"""The event of records that are signed."""
PRUNED = "pruned"
"""The event of a record that says which file was erased because of its age, and how it ended."""
ROTATION = "rotation"
"""Why a checkpoint is the last line of its file, and another file follows."""

# A signature ends in '"' and a record in '}', so that there is one way to read a line.
_LINE = re.compile(rb'\{"hash":"([0-9a-f]{64})","record":(\{.*\})(?:,"signature":"([0-9A-Za-z+/=]{88})")?\}\n')


@dataclass(frozen=True, slots=True)
class Line:
    """One line as it stands in a file; nothing about it is proven.

    Attributes:
        hash: Hash that it gives for its record, hexadecimal.
        body: The record's bytes.
        record: The record.
        signature: Signature in Base64; empty where there is none.
    """

    hash: str
    body: bytes
    record: Mapping[str, Any]
    signature: str

    @property
    def sequence(self) -> int:
        """Its place in the chain, from 1."""
        return int(self.record["sequence"])

    @property
    def is_checkpoint(self) -> bool:
        """Whether it has to be signed."""
        return bool(self.record["event"] == CHECKPOINT)

    @property
    def intact(self) -> bool:
        """Whether the hash is that of the record."""
        return sha256(self.body).hexdigest() == self.hash


def encode(record: Mapping[str, Any]) -> tuple[bytes, str]:
    """A record's bytes and their hash.

    Args:
        record: Text and whole numbers by ASCII names; of such, the library writes what RFC 8785 asks for.
    """
    body = to_json({name: record[name] for name in _in_order(tuple(record))})
    return body, sha256(body).hexdigest()


def join(body: bytes, digest: str, signature: str = "") -> bytes:
    """The line of a record, its line feed included."""
    signed = f',"signature":"{signature}"'.encode() if signature else b""
    return b'{"hash":"%b","record":%b%b}\n' % (digest.encode(), body, signed)


def parse(raw: bytes) -> Line:
    """Reads a line.

    Args:
        raw: The line with its line feed.

    Raises:
        ValueError: It is no line of an audit log.
    """
    match = _LINE.fullmatch(raw)
    if match is None:
        raise ValueError("no line of an audit log")
    try:
        record = from_json(match[2], allow_inf_nan=False)
    except ValueError:
        raise ValueError("the record is no JSON") from None
    for name, kind in (("chain", str), ("event", str), ("previous", str), ("sequence", int), ("time", str)):
        if type(record.get(name)) is not kind:
            raise ValueError(f"the record has no {name}")
    return Line(match[1].decode(), match[2], record, (match[3] or b"").decode())


@lru_cache(maxsize=64)  # records have few sets of names, and sorting would cost most of the time
def _in_order(names: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(names))
