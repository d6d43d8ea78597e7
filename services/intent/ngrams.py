"""Hashed n-grams of characters and words, after the hashing trick (Weinberger et al., 2009, arXiv:0902.2206).

They need no vocabulary and read partial and misheard text better than word pieces do.
"""

from zlib import crc32

from services.intent.text import units

BUCKETS = 1 << 16
"""Rows of the n-gram table; row 0 is padding."""

LONGEST = 4
"""Longest n-gram, in units."""

WORD_PIECE = 4
"""Length of the character n-grams taken from Latin words, so that inflections share rows."""

MOST = 256
"""Most n-grams read of one utterance; a longer one is read at its beginning and its end."""


def ngram_ids(text: str) -> list[int]:
    """Rows of the n-gram table for a normalised text, each once, in order of appearance; at most `MOST`."""
    found = ["^", *units(text), "$"]
    first, further = [unit.encode() for unit in found], [b"\x1f" + unit.encode() for unit in found]
    rows: dict[int, None] = {}
    for start, unit in enumerate(first):
        # A longer n-gram's hash goes on from the shorter one's, so none is ever put together.
        hashed = crc32(unit)
        rows[1 + hashed % (BUCKETS - 1)] = None
        for unit_after in further[start + 1 : start + LONGEST]:
            hashed = crc32(unit_after, hashed)
            rows[1 + hashed % (BUCKETS - 1)] = None
    for word in first:
        if len(word) > WORD_PIECE and word.isascii():
            for start in range(len(word) - WORD_PIECE + 1):
                rows[1 + crc32(b"\x1e" + word[start : start + WORD_PIECE]) % (BUCKETS - 1)] = None
    ids = list(rows)
    return ids if len(ids) <= MOST else ids[: MOST // 2] + ids[-MOST // 2 :]
