"""Newline-delimited JSON, as it comes in."""

from collections.abc import AsyncIterator

from bankai.errors import ExhaustedError


async def lines(chunks: AsyncIterator[bytes], max_bytes: int) -> AsyncIterator[tuple[int, bytes]]:
    """The lines of a body that are not blank; the last one may lack its end.

    Args:
        chunks: The body, cut anywhere.
        max_bytes: Longest line, in bytes.

    Yields:
        (number of the line, from 1; the line without its end)

    Raises:
        ExhaustedError: BODY_TOO_LARGE: a line is too long.
    """
    number, line = 0, bytearray()
    async for chunk in chunks:
        *ended, rest = chunk.split(b"\n")
        for part in ended:
            line += part
            number += 1
            _check(line, number, max_bytes)
            if text := bytes(line).strip():
                yield number, text
            line.clear()
        line += rest
        _check(line, number + 1, max_bytes)
    if text := bytes(line).strip():
        yield number + 1, text


def _check(line: bytearray, number: int, max_bytes: int) -> None:
    if len(line) > max_bytes:
        raise ExhaustedError(
            "BODY_TOO_LARGE", f"line {number} is longer than {max_bytes} bytes, the limit of a message"
        )
