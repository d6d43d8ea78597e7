import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intent.labels import EMOTIONS
from services.intent.mood import Mood, Trend
from tests.services.intent.utterances import analysis

FELT = st.tuples(st.sampled_from(sorted(EMOTIONS)), st.floats(0, 1))


def mood(*emotions: tuple[str, float]) -> Mood:
    made = Mood()
    for emotion, intensity in emotions:
        made.apply(analysis(emotion=emotion, intensity=intensity).emotion)
    return made


@pytest.mark.parametrize(
    ("emotions", "trend"),
    [
        ([], Trend.UNKNOWN),
        ([("angry", 0.9)], Trend.STABLE),
        ([("neutral", 0.1)] * 4, Trend.STABLE),
        ([("neutral", 0.1)] * 3 + [("angry", 0.6)], Trend.WORSENING),
        ([("angry", 0.8)] * 3 + [("neutral", 0.1)], Trend.IMPROVING),
        ([("anxious", 0.6), ("neutral", 0.0), ("satisfied", 0.5)], Trend.IMPROVING),
        ([("neutral", 0.1), ("confused", 0.3)], Trend.STABLE),
    ],
)
def test_trends(emotions: list[tuple[str, float]], trend: Trend) -> None:
    assert mood(*emotions).trend is trend


@given(st.lists(FELT, max_size=30))
def test_moods_stay_on_the_scale(emotions: list[tuple[str, float]]) -> None:
    made = mood(*emotions)
    assert -1 <= made.now <= 1
    assert -1 <= made.usual <= 1


@given(FELT, st.integers(1, 30))
def test_an_even_mood_has_no_trend(felt: tuple[str, float], length: int) -> None:
    assert mood(*[felt] * length).trend is Trend.STABLE
