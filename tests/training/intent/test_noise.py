from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pypinyin", reason="needs the training extra: make setup-train")

from training.intent.noise import Homophones, Noise

HOMOPHONES = Homophones(["挂失是我的事", "卡咔咖里理李", "i lost my card"])


@given(st.text(min_size=1, max_size=60).filter(str.strip), st.integers(0, 1000))
def test_noise_leaves_something_to_read(text: str, seed: int) -> None:
    assert Noise(HOMOPHONES, Random(seed))(text)


@given(st.text(alphabet="挂失我的卡事 ", min_size=2, max_size=40).filter(str.strip), st.integers(0, 1000))
def test_a_prefix_is_how_the_text_begins(text: str, seed: int) -> None:
    prefix = Noise(HOMOPHONES, Random(seed)).prefix(text)
    assert prefix
    assert text.startswith(prefix) or not prefix.strip() or " ".join(text.split()).startswith(prefix)


def test_a_homophone_sounds_the_same() -> None:
    assert HOMOPHONES.substitute("事", Random(0)) in {"失", "是"} | {"事"}
    assert HOMOPHONES.substitute("卡", Random(0)) in {"咔", "咖"}
    assert HOMOPHONES.substitute("x", Random(0)) == "x"


def test_the_same_seed_gives_the_same_noise() -> None:
    texts = ["我的卡丢了，怎么办？", "i lost my card yesterday"] * 20
    first, second = (Noise(HOMOPHONES, Random(7)) for _ in range(2))
    assert [first(text) for text in texts] == [second(text) for text in texts]
