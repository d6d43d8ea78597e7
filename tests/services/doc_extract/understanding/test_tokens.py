from itertools import pairwise

import numpy as np
import pytest

from services.doc_extract.finders import find_candidates
from services.doc_extract.understanding.tokens import BUCKETS, PAD, WindowEncoder, padded
from services.doc_extract.understanding.windows import windows
from training.paths import SHIPPED_TOKENIZER

TEXT = "借款合同\n借款人甲公司向贷款人借款人民币１５０万元，期限36个月。"


@pytest.fixture(scope="module")
def encoder() -> WindowEncoder:
    return WindowEncoder(SHIPPED_TOKENIZER)


def test_tokens_lead_back_into_the_document(encoder: WindowEncoder) -> None:
    (tokens,) = encoder.encode(list(windows(TEXT, set(), find_candidates(TEXT))))
    spans = [(int(start), int(end)) for start, end in zip(tokens.starts, tokens.ends, strict=True) if start >= 0]
    assert "".join(TEXT[start:end] for start, end in spans) == TEXT.partition("\n")[2]
    assert all(before[1] <= behind[0] for before, behind in pairwise(spans))


def test_windows_are_padded_to_a_bucket(encoder: WindowEncoder) -> None:
    text = TEXT + "\n" + "甲方应当按照约定用途使用贷款。" * 60
    rows = encoder.encode(list(windows(text, set(), find_candidates(text))))
    assert all(len(row.ids) <= BUCKETS[-1] for row in rows)
    inputs = padded(rows)
    assert inputs["input_ids"].shape[1] in BUCKETS
    np.testing.assert_array_equal(inputs["attention_mask"], inputs["input_ids"] != PAD)
