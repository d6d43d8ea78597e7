import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intent.encoding import PAD_TOKEN, UNKNOWN_TOKEN, _row
from services.intent.features import FEATURES, features


def _of(text: str, tokens: list[int], length: int = 8) -> dict[str, float | str]:
    return features(text, _row(tokens, length, PAD_TOKEN), confidence=0.9, intent="chitchat", emotion="neutral")


def test_all_of_an_utterance() -> None:
    assert _of("卡丢了", [0, 7, UNKNOWN_TOKEN, 2]) == {
        "length": 3,
        "language": "chinese",
        "unknown": 0.25,
        "confidence": 0.9,
        "intent": "chitchat",
        "emotion": "neutral",
    }


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("我要挂失", "chinese"),
        ("我要挂失 card", "mixed"),
        ("把 app 里的卡挂失一下", "chinese"),
        ("i lost my card", "latin"),
        ("un café s'il vous plaît", "mixed"),
        ("I can’t log in to the app any more since the update", "latin"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert _of(text, [0, 2])["language"] == language


@given(st.text(min_size=1), st.lists(st.integers(0, 10), min_size=1, max_size=8).filter(lambda row: set(row) != {1}))
def test_whatever_is_said(text: str, tokens: list[int]) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return  # no Unicode text; none comes over the wire
    row = [token for token in tokens if token != PAD_TOKEN]
    values = _of(text, row)
    assert tuple(values) == FEATURES
    assert values["unknown"] == row.count(UNKNOWN_TOKEN) / len(row)
