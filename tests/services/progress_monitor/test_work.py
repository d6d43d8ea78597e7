import asyncio

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bankai.inference import open_backend
from bankai.settings import InferenceSettings
from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.change.work import FEATURES, Shown, WorkModel, month_before, pixels, quarter_before

SITE = np.ones((20, 20), bool)
BARE, SLAB = (0.13, 0.18, 0.24, 0.31, 0.40, 0.36), (0.30, 0.34, 0.37, 0.40, 0.42, 0.39)


def shown(surfaces: NDArray[np.uint8], usable: NDArray[np.bool_] = SITE, light: float = 1.0) -> Shown:
    spectra = np.where(
        (surfaces == Surface.FOUNDATION)[None], np.array(SLAB)[:, None, None], np.array(BARE)[:, None, None]
    )
    return Shown((spectra * light).astype(np.float32), surfaces, usable)


def cleared() -> NDArray[np.uint8]:
    return np.full(SITE.shape, Surface.CLEARED, np.uint8)


def worked(now: Shown, before: Shown) -> float | None:
    async def ask() -> float | None:
        backend = open_backend(InferenceSettings())
        try:
            return await WorkModel(backend).worked(now, before, SITE, timeout=20)
        finally:
            await backend.close()

    return asyncio.run(ask())


def test_a_new_slab_is_work_and_moist_soil_is_none() -> None:
    built = cleared()
    built[4:12, 4:12] = Surface.FOUNDATION
    assert worked(shown(built), shown(cleared())) == pytest.approx(64 / 400, abs=0.06)
    assert worked(shown(cleared(), light=0.85), shown(cleared())) == pytest.approx(0, abs=0.01)


def test_nothing_is_said_of_a_site_that_is_hidden() -> None:
    assert worked(shown(cleared(), usable=~SITE), shown(cleared())) is None


def test_pixels_lack_the_bands_that_one_date_lacks() -> None:
    colour = shown(cleared())
    colour.reflectance[3:] = 0
    found = pixels(colour, shown(cleared()), SITE)
    assert found is not None
    assert found.shape == (400, FEATURES)
    blocks = found[:, :36].reshape(400, 6, 6)
    assert not blocks[:, :, 3:].any()
    assert blocks[:, :, :3].any()


@given(st.lists(st.floats(0, 400), max_size=8), st.floats(0, 500))
def test_a_month_and_a_quarter_are_as_long_as_they_say(before: list[float], later: float) -> None:
    days = sorted(before)
    day = later + (days[-1] if days else 0)
    month, quarter = month_before(days, day), quarter_before(days, day)
    assert month == max((number for number, each in enumerate(days) if each <= day - 25), default=None)
    between = [number for number, each in enumerate(days[:-1]) if each <= day - 90]
    assert quarter == max(between, default=None)
