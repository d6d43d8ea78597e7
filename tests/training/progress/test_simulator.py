import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.meaning.stages import Stage
from training.progress.simulator.schedule import Schedule, Stall, Work, draw_schedule
from training.progress.simulator.series import Wish, draw_series

WORKS = (Work(1000, 0.0, 0.6), Work(3000, 0.3, 1.0))


@given(seed=st.integers(0, 1000), stalled=st.booleans())
def test_progress_and_stage_only_advance(*, seed: int, stalled: bool) -> None:
    schedule = draw_schedule([1000, 2000, 500], 100.0, np.random.default_rng(seed), stalled=stalled)
    days = np.linspace(50, schedule.finish + 20, 60)
    progress = [schedule.progress(float(day)) for day in days]
    stages = [schedule.stage(float(day)) for day in days]
    assert progress == sorted(progress)
    assert stages == sorted(stages)
    assert (progress[0], stages[0]) == (0.0, 0)
    assert progress[-1] == pytest.approx(1.0)
    assert stages[-1] == 5


def test_nothing_is_built_while_work_rests() -> None:
    schedule = Schedule(0.0, 300.0, WORKS, 0.6, (Stall(100.0, 90.0),))
    assert schedule.progress(100.0) == schedule.progress(150.0) == schedule.progress(190.0)
    assert schedule.progress(191.0) > schedule.progress(190.0)
    assert schedule.finish == 390.0


def test_work_that_never_begins() -> None:
    schedule = Schedule(np.inf, 300.0, WORKS, 0.6)
    assert (schedule.progress(1e6), schedule.stage(1e6)) == (0.0, Stage.NOT_STARTED)


@settings(max_examples=4)
@given(st.integers(0, 10_000))
def test_a_series_is_its_seed_and_its_truth_fits_its_pixels(seed: int) -> None:
    wish = Wish(dates=5, side=240.0, started=True, clear=True, neighbour=False)
    one, two = (draw_series(np.random.default_rng(seed), wish) for _ in range(2))
    for mine, other in zip(one.pictures, two.pictures, strict=True):
        np.testing.assert_array_equal(mine.reflectance, other.reflectance)
    for picture in one.pictures:
        np.testing.assert_allclose(picture.shares.sum(0), 1, atol=1e-3)
        assert picture.reflectance.min() > 0
        built = picture.shares[[Surface.FOUNDATION, Surface.STRUCTURE, Surface.COVERED]].sum()
        assert (built > 0) == (picture.progress > 0.08) or 0 < picture.progress < 0.12
    planned = sum(building.outline.area for building in one.layout.buildings)
    last = one.pictures[-1]
    if last.stage is Stage.COMPLETE:
        assert last.shares[Surface.COVERED].sum() * 100 == pytest.approx(
            planned, rel=0.4
        )  # one seed in thousands has a quarter more
