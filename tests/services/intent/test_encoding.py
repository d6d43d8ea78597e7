from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intent.encoding import NGRAM_BUCKETS, PAD_NGRAM, PAD_TOKEN, TOKEN_BUCKETS, TextEncoder, bucket, ngrams


@pytest.fixture
def encoder(models_dir: Path) -> TextEncoder:
    return TextEncoder(models_dir / "intent" / "1" / "tokenizer.json")


@given(st.integers(0, 1000))
def test_the_bucket_is_the_smallest_that_fits(length: int) -> None:
    chosen = bucket(length, TOKEN_BUCKETS)
    assert chosen in TOKEN_BUCKETS
    assert chosen >= min(length, TOKEN_BUCKETS[-1])
    assert all(size < length for size in TOKEN_BUCKETS if size < chosen)


@given(st.text(max_size=500))
def test_ngrams_are_one_padded_row(text: str) -> None:
    row = ngrams(text)["ngram_ids"]
    assert row.shape[0] == 1
    assert row.shape[1] in NGRAM_BUCKETS
    used = int((row != PAD_NGRAM).sum())
    assert (row[0, :used] != PAD_NGRAM).all()


@pytest.mark.parametrize("text", ["卡", "卡丢了 " * 30, "我 " * 2000, "😀"])
def test_full_inputs_agree_in_length(encoder: TextEncoder, text: str) -> None:
    inputs = encoder.full(text)
    ids, mask = inputs["input_ids"], inputs["attention_mask"]
    assert ids.shape == mask.shape
    assert ids.shape[1] in TOKEN_BUCKETS
    assert (ids[mask == 0] == PAD_TOKEN).all()
    assert mask.sum() == len(encoder.tokens(text)) <= TOKEN_BUCKETS[-1]
