from collections.abc import Iterator
from math import isnan
from random import Random

import pytest
from prometheus_client import REGISTRY

from bankai.drift import watch
from bankai.drift.reference import Value, measured
from bankai.drift.watch import DriftWatch


def _rows(number: int, seed: int, *, shift: float = 0.0, angry: float = 0.1) -> list[dict[str, Value]]:
    random = Random(seed)
    return [
        {"length": random.gauss(20 + shift, 5), "emotion": "angry" if random.random() < angry else "neutral"}
        for _ in range(number)
    ]


@pytest.fixture
def watched() -> Iterator[DriftWatch]:
    opened = DriftWatch("toy", measured(_rows(1300, 0)), window=1000)
    opened.publish()
    yield opened
    opened.withdraw()


def _gauge(feature: str) -> float | None:
    return REGISTRY.get_sample_value("bankai_drift_psi", {"model": "toy", "feature": feature})


def test_the_same_distribution_is_near_zero(watched: DriftWatch) -> None:
    for row in _rows(1000, 1):
        watched.observe(row)
    assert 0 <= watched.index("length") < 0.1
    assert 0 <= watched.index("emotion") < 0.1
    assert _gauge("length") == watched.index("length")


def test_only_what_shifted_raises_the_alarm(watched: DriftWatch) -> None:
    for row in _rows(1000, 2, shift=5):
        watched.observe(row)
    assert watched.index("length") > 0.2
    assert watched.index("emotion") < 0.1


def test_a_shift_of_classes_does(watched: DriftWatch) -> None:
    for row in _rows(1000, 3, angry=0.4):
        watched.observe(row)
    assert watched.index("emotion") > 0.2
    assert watched.index("length") < 0.1


def test_the_window_slides(watched: DriftWatch) -> None:
    for row in _rows(5000, 4, shift=10):
        watched.observe(row)
    assert watched.index("length") > 1
    for row in _rows(1000, 5):
        watched.observe(row)
    assert watched.index("length") < 0.1
    assert REGISTRY.get_sample_value("bankai_drift_window", {"model": "toy"}) == 1000


def test_few_answers_have_no_index(watched: DriftWatch) -> None:
    for row in _rows(watch.LEAST - 1, 6):
        watched.observe(row)
    assert isnan(watched.index("length"))
    watched.observe(_rows(1, 7)[0])
    assert not isnan(watched.index("length"))


def test_only_what_is_published_is_in_the_metrics() -> None:
    opened = DriftWatch("toy", measured(_rows(100, 0)))
    assert _gauge("length") is None
    opened.publish()
    assert _gauge("length") is not None
    opened.withdraw()
    assert _gauge("length") is None
