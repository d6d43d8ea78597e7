from pathlib import Path

import pytest

pytest.importorskip("torch", reason="needs the training extra: make setup-train")

from training.encoder.folder import e5, minilm, readers_of

pytestmark = pytest.mark.slow  # importing torch alone takes seconds

E5_DIR = Path("encoder")


def test_english_is_read_by_both_and_chinese_by_e5_alone() -> None:
    assert readers_of(["i lost my card", "where is my money"], E5_DIR) == [e5(E5_DIR), minilm()]
    assert readers_of(["我的卡丢了", "钱没到账"], E5_DIR) == [e5(E5_DIR)]


def test_the_english_encoder_lies_in_its_package() -> None:
    assert minilm().text().tokens("i lost my card") == [101, 1045, 2439, 2026, 4003, 102]
