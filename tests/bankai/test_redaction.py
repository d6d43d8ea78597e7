from ipaddress import IPv4Address

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bankai.redaction import redact, redact_text

FULL_WIDTH = str.maketrans("0123456789", "０１２３４５６７８９")
CHINESE = str.maketrans("0123456789", "零幺二三四五六七八九")

phones = st.from_regex(r"(\+86|0086|)1[3-9][0-9]{9}", fullmatch=True)
cards = st.from_regex(r"[3-6][0-9]{12,18}", fullmatch=True)
identities = st.from_regex(r"[1-9][0-9]{5}(19|20)[0-9]{2}(0[1-9]|1[0-2])[0-2][0-9][0-9]{3}[0-9Xx]", fullmatch=True)
accounts = st.from_regex(r"[0-9]{9,30}", fullmatch=True)
numbers = st.one_of(phones, cards, identities, accounts)
around = st.text(alphabet=st.characters(exclude_categories=("Nd", "Cs"), exclude_characters="."), max_size=30)


@st.composite
def written(draw: st.DrawFn) -> str:
    """A customer's number as people, forms and speech recognition write it."""
    number = draw(numbers)
    gap = draw(st.sampled_from(["", " ", "-", " - ", "　", "－", "."]))
    size = draw(st.integers(1, 5))
    parts = [number[start : start + size] for start in range(0, len(number), size)]
    text = gap.join(parts)
    assume(not is_ipv4(text))  # nobody can tell it from an address
    return text.translate(draw(st.sampled_from([{}, FULL_WIDTH, CHINESE])))


def is_ipv4(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True


def count_digits(text: str) -> int:
    return sum(character.isdecimal() or character in "零〇幺一二三四五六七八九" for character in text)


@given(before=around, number=written(), after=around)
def test_a_planted_number_never_survives(before: str, number: str, after: str) -> None:
    redacted = redact_text(before + number + after)
    assert number not in redacted
    assert count_digits(redacted) <= count_digits(before) + count_digits(after)


@given(number=written(), depth=st.integers(0, 12), as_key=st.booleans())
def test_nor_does_it_at_any_depth(number: str, depth: int, as_key: bool) -> None:  # noqa: FBT001  # hypothesis names it
    value: object = {number: 1} if as_key else number
    for level in range(depth):
        value = [value] if level % 2 else {"inner": value}
    assert number not in repr(redact(value))


@given(number=written())
def test_nor_in_bytes_or_objects(number: str) -> None:
    assert number not in repr(redact(number.encode()))
    assert number not in repr(redact(ValueError(number)))
    assert number not in repr(redact({"of": (number, {number})}))


@given(st.integers(10**10, 10**30))
def test_nor_as_a_plain_number(number: int) -> None:
    assert redact(number) == "[number]"
    assert redact(-number) == "[number]"
    assert redact(float(number)) == "[number]"


@given(
    st.lists(st.one_of(st.integers(0, 99_999_999).map(str), st.sampled_from(["ms", "port", "在", "行", "calls"]))),
    st.sampled_from([", ", " ms, ", "=", ":", "/", "\n", "个"]),
)
def test_ordinary_numbers_survive(words: list[str], separator: str) -> None:
    text = separator.join(words)
    assert redact_text(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T18:57:38.123456Z",
        "2026-11-23 18:57:38.123456789 took 12345678 ms",
        "ipv4:192.168.100.200:50061",
        "p=0.1234567890123456",
        "550e8400-1234-41d4-8716-446655440000",
        "grpcio 1.81.1",
        "received 4194304 of 5000005 bytes on port 50061",
        "一二三四五",
    ],
)
def test_what_is_no_customers_number_survives(text: str) -> None:
    assert redact_text(text) == text


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        ("电话13812345678，谢谢", "电话[phone]，谢谢"),
        ("+86 138-1234-5678", "+[phone]"),
        ("卡号 ６２２２ ０２１２ ３４５６ ７８９２ 对", "卡号 [number] 对"),
        ("4111-1111-1111-1111", "[card]"),
        ("身份证11010519491231002X。", "身份证[identity]。"),
        ("幺三八幺二三四五六七八", "[phone]"),
        ("(010) 8765-4321 ext", "([number] ext"),
        ("2026-11-23 18:57:38 13812345678", "2026-11-23 18:57:38 [phone]"),
        ("13812345678 and 13912345678", "[phone] and [phone]"),
    ],
)
def test_the_label_says_what_was_there(text: str, redacted: str) -> None:
    assert redact_text(text) == redacted


def test_plain_values_stay_as_they_are() -> None:
    value = {"ms": 1.25, "port": 50061, "ok": True, "none": None, "bytes": 4294967296, "list": [1, 2]}
    assert redact(value) == value


def test_a_long_text_takes_no_long_time() -> None:
    text = "1234567 8x" * 20_000 + "12 " * 20_000
    assert len(redact_text(text)) < len(text)
