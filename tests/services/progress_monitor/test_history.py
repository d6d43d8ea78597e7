import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.progress_monitor.meaning.history import FEATURES, features
from services.progress_monitor.meaning.measures import Measures


def seen(built: float, usable: float = 1.0) -> Measures:
    shares = (1 - built, 0.0, built, 0.0, 0.0, 0.0)
    return Measures(usable, shares, shares, 0.0)


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 1), st.floats(0.25, 1)), min_size=2, max_size=8), st.data())
def test_a_date_is_seen_in_the_light_of_those_before_only(
    dates: list[tuple[float, float, float]], data: st.DataObject
) -> None:
    days = list(np.cumsum([step for step, _, _ in dates]))
    measures = [seen(built, usable) for _, built, usable in dates]
    whole = features(days, measures)
    assert whole.shape == (len(dates), FEATURES)
    kept = data.draw(st.integers(1, len(dates)))
    np.testing.assert_allclose(whole[:kept], features(days[:kept], measures[:kept]), atol=1e-5)


def test_what_stood_there_once_is_remembered() -> None:
    once = features([0, 100, 200], [seen(0.0), seen(0.4), seen(0.1)])
    never = features([0, 100, 200], [seen(0.0), seen(0.1), seen(0.1)])
    assert once[2, :10] == pytest.approx(never[2, :10])
    assert once[2, 11] == pytest.approx(np.sqrt(0.4))  # the highest share of foundations


def test_a_picture_that_shows_little_sets_no_highest_value() -> None:
    found = features([0, 100, 200], [seen(0.0), seen(0.9, usable=0.3), seen(0.1)])
    assert found[2, 11] == pytest.approx(np.sqrt(0.1))
