"""Reads checkpoints that were kept outside of the folder: lines of the audit log, or of the gateway's own log."""

import re
from collections.abc import Iterable, Iterator
from contextlib import suppress

from gateway.audit.keys import Verifier
from gateway.audit.letters import from_letters
from gateway.audit.lines import Line, parse

# As the gateway logs them, in whatever a log system has made of the line.
_SPELLED = re.compile(r"[a-p]{400,}")


def checkpoints(texts: Iterable[str], verifier: Verifier) -> Iterator[Line]:
    """The checkpoints within lines of text; lines without any are passed over.

    Args:
        texts: Lines of text.
        verifier: Checks their signatures.

    Raises:
        ValueError: One is not signed with a key that is trusted.
    """
    for number, text in enumerate(texts, start=1):
        for raw in (text.strip().encode() + b"\n", *_spelled(text)):
            with suppress(ValueError):
                line = parse(raw)
                if line.is_checkpoint:
                    break
        else:
            continue
        if not line.intact or not verifier.accepts(str(line.record.get("key")), line.body, line.signature):
            raise ValueError(f"the checkpoint in line {number} is not signed with a key that was given")
        yield line


def _spelled(text: str) -> Iterator[bytes]:
    for found in _SPELLED.findall(text):
        with suppress(ValueError):
            yield from_letters(found)
