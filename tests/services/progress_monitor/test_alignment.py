import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.progress_monitor.alignment.radiometry import normalised
from services.progress_monitor.alignment.registration import Registration, aligned, register
from tests.services.progress_monitor.conftest import countryside

EVERYWHERE = np.ones((160, 160), bool)


def displaced(layer: np.ndarray, dx: float, dy: float, turn: float) -> np.ndarray:
    rows, columns = layer.shape
    matrix = cv2.getRotationMatrix2D(((columns - 1) / 2, (rows - 1) / 2), turn, 1.0)
    matrix[:, 2] += np.array((dx, dy))
    return cv2.warpAffine(layer, matrix, (columns, rows), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)


@settings(max_examples=15)
@given(st.floats(-5.6, 5.6), st.floats(-5.6, 5.6), st.floats(-1, 1), st.integers(0, 5))
def test_shifts_and_turns_are_found_to_a_quarter_pixel(dx: float, dy: float, turn: float, seed: int) -> None:
    reference = cv2.GaussianBlur(countryside(seed)[:3].mean(0), (0, 0), 0.7)
    found = register(displaced(reference, dx, dy, turn), reference, EVERYWHERE)
    assert found.good
    assert found.dx == pytest.approx(dx, abs=0.15)
    assert found.dy == pytest.approx(dy, abs=0.15)
    assert np.deg2rad(abs(found.turn - turn)) * 80 < 0.25


def test_another_season_does_not_disturb_it() -> None:
    scene = countryside(3)
    other = np.clip(scene * np.random.default_rng(1).uniform(0.6, 1.5, (6, 1, 1)), 0, 1)
    moved = displaced(other[:3].mean(0).astype(np.float32), 3.3, -1.2, 0.0)
    found = register(moved, scene[:3].mean(0), EVERYWHERE)
    assert found.dx == pytest.approx(3.3, abs=0.2)
    assert found.dy == pytest.approx(-1.2, abs=0.2)


def test_another_place_is_not_believed() -> None:
    assert not register(countryside(1)[:3].mean(0), countryside(2)[:3].mean(0), EVERYWHERE).good


def test_too_little_ground_is_not_believed() -> None:
    layer = countryside(1)[:3].mean(0)
    nothing = np.zeros_like(EVERYWHERE)
    assert not register(layer, layer, nothing).good


def test_aligned_undoes_the_displacement_and_leaves_gaps_empty() -> None:
    scene = np.stack([cv2.GaussianBlur(layer, (0, 0), 1.5) for layer in countryside(4)])
    moved = np.stack([displaced(layer, 4.0, -3.0, 0.0) for layer in scene])
    moved[:, :, :8] = 0
    back = aligned(moved, Registration(4.0, -3.0, 0.0, 1.0))
    inside = (slice(None), slice(10, -10), slice(20, -10))
    np.testing.assert_allclose(back[inside], scene[inside], atol=0.01)
    assert not back[:, :, :3].any()


def test_brightness_is_brought_to_the_references_despite_change() -> None:
    reference = countryside(5)
    picture = np.clip(reference * 1.3 + 0.02, 0, 2).astype(np.float32)
    picture[:, 60:90, 60:90] = 0.9  # a new roof
    same = normalised(picture, reference, EVERYWHERE)
    np.testing.assert_allclose(same[:, :50, :50], reference[:, :50, :50], atol=0.01)
    assert same[:, 70, 70].min() > 0.5


def test_gaps_stay_gaps() -> None:
    picture = countryside(6)
    picture[:, :20] = 0
    assert not normalised(picture, countryside(6), EVERYWHERE)[:, :20].any()
