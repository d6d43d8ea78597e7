from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.inference.repository import ModelRepository
from bankai.settings import InferenceSettings
from services.progress_monitor.meaning.evidence import read_parameters
from services.progress_monitor.meaning.stages import Stage
from services.progress_monitor.meaning.states import Evidence, StateModel


@pytest.fixture(scope="module")
def model() -> StateModel:
    return StateModel(read_parameters(ModelRepository(InferenceSettings().models_dir)))


def seen(day: float, stage: Stage, progress: float, weight: float = 1.0) -> Evidence:
    stages = np.full(len(Stage), 0.02)
    stages[stage] = 0.9
    return Evidence(day, stages, progress, 0.05, weight)


def steady(days: Sequence[float]) -> list[Evidence]:
    stages = (Stage.NOT_STARTED, Stage.CLEARING, Stage.FOUNDATION, Stage.STRUCTURE, Stage.STRUCTURE, Stage.ENVELOPE)
    values = (0.0, 0.03, 0.15, 0.35, 0.6, 0.9)
    return [seen(day, stage, value) for day, stage, value in zip(days, stages, values, strict=True)]


def test_a_steady_course_is_followed(model: StateModel) -> None:
    beliefs = model.smoothed(steady((0, 60, 120, 200, 280, 400)))
    assert [belief.stage for belief in beliefs] == [
        Stage.NOT_STARTED, Stage.CLEARING, Stage.FOUNDATION, Stage.STRUCTURE, Stage.STRUCTURE, Stage.ENVELOPE,
    ]  # fmt: skip
    assert beliefs[3].progress == pytest.approx(0.35, abs=0.08)


def test_one_bad_date_undoes_nothing(model: StateModel) -> None:
    dates = steady((0, 60, 120, 200, 280, 400))
    dates.insert(5, seen(300, Stage.CLEARING, 0.05))  # glint, haze
    beliefs = model.smoothed(dates)
    assert beliefs[5].stage >= Stage.STRUCTURE
    assert beliefs[5].progress >= beliefs[4].progress - 0.02


def test_repeated_evidence_of_less_is_believed_in_the_end(model: StateModel) -> None:
    torn = [seen(day, Stage.NOT_STARTED, 0.0) for day in range(500, 1000, 20)]
    assert model.smoothed([*steady((0, 60, 120, 200, 280, 400)), *torn])[-1].progress < 0.5


def test_a_date_without_weight_says_nothing(model: StateModel) -> None:
    dates = [seen(0, Stage.NOT_STARTED, 0.0), seen(20, Stage.COMPLETE, 1.0, weight=0.0)]
    assert model.smoothed(dates)[-1].stage is Stage.NOT_STARTED


@given(
    st.lists(
        st.tuples(st.floats(0, 2000), st.sampled_from(list(Stage)), st.floats(0, 1), st.floats(0, 1)),
        min_size=1,
        max_size=12,
    )
)
def test_beliefs_are_probabilities_and_the_last_is_what_was_known(
    model: StateModel, dates: list[tuple[float, Stage, float, float]]
) -> None:
    evidence = [seen(*date) for date in sorted(dates)]
    smoothed, filtered = model.smoothed(evidence), model.filtered(evidence)
    for belief in smoothed:
        assert belief.stages.sum() == pytest.approx(1)
        assert belief.levels.sum() == pytest.approx(1)
        low, high = belief.interval()
        assert 0 <= low <= belief.progress <= high <= 1
    np.testing.assert_allclose(smoothed[-1].levels, filtered[-1].levels, atol=1e-9)
