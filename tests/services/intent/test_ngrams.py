from zlib import crc32

from hypothesis import given
from hypothesis import strategies as st

from services.intent.ngrams import BUCKETS, LONGEST, MOST, WORD_PIECE, ngram_ids
from services.intent.text import normalise, units

TEXTS = st.text(alphabet="卡丢挂失了 abcdetransfer12，！é🎉", max_size=400).map(normalise)


def by_the_book(text: str) -> list[int]:
    """The definition, put together gram by gram."""
    found = ["^", *units(text), "$"]
    grams = [
        "\x1f".join(found[start : start + size])
        for start in range(len(found))
        for size in range(1, LONGEST + 1)
        if start + size <= len(found)
    ]
    for word in found:
        if word.isascii() and len(word) > WORD_PIECE:
            grams += ["\x1e" + word[start : start + WORD_PIECE] for start in range(len(word) - WORD_PIECE + 1)]
    return list(dict.fromkeys(1 + crc32(gram.encode()) % (BUCKETS - 1) for gram in grams))


@given(TEXTS)
def test_ids_are_those_of_the_definition(text: str) -> None:
    expected = by_the_book(text)
    ids = ngram_ids(text)
    assert ids == (expected if len(expected) <= MOST else expected[: MOST // 2] + expected[-MOST // 2 :])
    assert len(set(ids)) == len(ids) <= MOST
    assert all(0 < row < BUCKETS for row in ids)


@given(TEXTS, TEXTS)
def test_a_short_phrase_is_found_in_any_text_around_it(before: str, after: str) -> None:
    inside = set(by_the_book("挂失")) - set(by_the_book(""))
    middle = {row for row in inside if row in by_the_book(before + "挂失" + after)}
    assert 1 + crc32("挂\x1f失".encode()) % (BUCKETS - 1) in middle


def test_nothing_said_still_has_ends() -> None:
    assert ngram_ids("")
