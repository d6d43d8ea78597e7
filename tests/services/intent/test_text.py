from hypothesis import example, given
from hypothesis import strategies as st

from services.intent.text import normalise, units

TEXTS = st.text(max_size=200)


@given(TEXTS)
@example("ＡＴＭ\u200b 吞 卡\n")
def test_normalising_twice_is_normalising_once(text: str) -> None:
    # Lower-casing can make room for one more composition, so it is the second pass that is stable.
    once = normalise(normalise(text))
    assert normalise(once) == once


def test_what_a_listener_cannot_tell_apart_is_the_same() -> None:
    assert normalise("ＡＴＭ  吞\u200b卡\n了！") == normalise("atm 吞 卡 了!")
    assert normalise("\u200b\u202a \t") == ""


@given(TEXTS)
def test_units_cover_everything_but_spaces(text: str) -> None:
    folded = normalise(text)
    assert "".join(units(folded)) == "".join(folded.split())


def test_units_are_characters_words_and_numbers() -> None:
    assert units("我的card丢了 don't 95588!") == ["我", "的", "card", "丢", "了", "don't", "95588", "!"]
