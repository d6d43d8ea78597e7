"""Lines, however the network cuts them."""

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.errors import ExhaustedError
from gateway.http.ndjson import lines


async def cut(*chunks: bytes) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


async def read(*chunks: bytes, max_bytes: int = 10_000) -> list[tuple[int, bytes]]:
    return [line async for line in lines(cut(*chunks), max_bytes)]


@given(st.lists(st.text("ab \r\n").map(str.encode)))
async def test_cuts_do_not_matter(chunks: list[bytes]) -> None:
    expected = [(number, line.strip()) for number, line in enumerate(b"".join(chunks).split(b"\n"), 1) if line.strip()]
    assert await read(*chunks) == expected


async def test_a_line_that_is_too_long() -> None:
    assert await read(b"12", b"34\n", max_bytes=4) == [(1, b"1234")]
    for chunks in ((b"\n12345",), (b"\n123", b"45\n")):
        with pytest.raises(ExhaustedError, match="line 2 is longer than 4 bytes") as caught:
            await read(*chunks, max_bytes=4)
        assert caught.value.reason == "BODY_TOO_LARGE"
