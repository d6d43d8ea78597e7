"""Every metric against scikit-learn on random data, and where nothing is defined."""

import numpy as np
import pytest
import sklearn.metrics
from hypothesis import example, given
from hypothesis import strategies as st

from bankai.evaluation import metrics

LABELS = ["a", "b", "c", "d"]
label_sets = st.lists(st.tuples(st.sets(st.sampled_from(LABELS)), st.sets(st.sampled_from(LABELS))), min_size=1)
scored = st.lists(
    # Few distinct scores, so that ties are common.
    st.tuples(st.booleans(), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1)),
    min_size=1,
    max_size=60,
)


def indicators(rows: list[set[str]]) -> np.ndarray:
    return np.array([[label in row for label in LABELS] for row in rows], int)


@given(label_sets)
def test_f1_equals_sklearn(rows: list[tuple[set[str], set[str]]]) -> None:
    gold, found = [g for g, _ in rows], [f for _, f in rows]
    truth, answer = indicators(gold), indicators(found)
    if truth.any() or answer.any():
        expected = sklearn.metrics.f1_score(truth, answer, average="micro", zero_division=0)
        assert metrics.micro_f1(gold, found) == pytest.approx(expected)
    else:
        assert metrics.micro_f1(gold, found) is None
    present = np.flatnonzero(truth.any(axis=0))
    if len(present):
        expected = sklearn.metrics.f1_score(truth, answer, labels=present, average="macro", zero_division=0)
        assert metrics.macro_f1(gold, found) == pytest.approx(expected)
    else:
        assert metrics.macro_f1(gold, found) is None


@given(scored)
def test_auroc_equals_sklearn(rows: list[tuple[bool, float]]) -> None:
    positive, scores = [p for p, _ in rows], [s for _, s in rows]
    if len(set(positive)) < 2:
        assert metrics.auroc(positive, scores) is None
    else:
        assert metrics.auroc(positive, scores) == pytest.approx(sklearn.metrics.roc_auc_score(positive, scores))


@given(scored, st.sampled_from([0.0, 0.05, 0.3, 1.0]))
@example([(False, 0.0)] * 7 + [(False, 0.1)] * 3 + [(True, 0.1)], 0.3)
def test_recall_at_fpr_equals_sklearn(rows: list[tuple[bool, float]], max_fpr: float) -> None:
    positive, scores = [p for p, _ in rows], [s for _, s in rows]
    if len(set(positive)) < 2:
        assert metrics.recall_at_fpr(positive, scores, max_fpr) is None
        return
    fpr, tpr, _ = sklearn.metrics.roc_curve(positive, scores, drop_intermediate=False)
    assert metrics.recall_at_fpr(positive, scores, max_fpr) == pytest.approx(tpr[fpr <= max_fpr].max())


@given(st.lists(st.tuples(st.booleans(), st.booleans())))
def test_precision_recall_equal_sklearn(rows: list[tuple[bool, bool]]) -> None:
    gold, found = [g for g, _ in rows], [f for _, f in rows]
    precision, recall = metrics.precision_recall(gold, found)
    if any(found):
        assert precision == pytest.approx(sklearn.metrics.precision_score(gold, found, zero_division=0))
    else:
        assert precision is None
    if any(gold):
        assert recall == pytest.approx(sklearn.metrics.recall_score(gold, found, zero_division=0))
    else:
        assert recall is None


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1))
def test_calibration_error_equals_its_definition(rows: list[tuple[float, bool]]) -> None:
    bins: dict[int, list[tuple[float, bool]]] = {}
    for confidence, right in rows:
        bins.setdefault(min(int(confidence * metrics.ECE_BINS), metrics.ECE_BINS - 1), []).append((confidence, right))
    expected = sum(
        len(members) / len(rows) * abs(np.mean([c for c, _ in members]) - np.mean([r for _, r in members]))
        for members in bins.values()
    )
    found = metrics.expected_calibration_error([c for c, _ in rows], [r for _, r in rows])
    assert found == pytest.approx(expected, abs=1e-9)


def test_nothing_measured_is_none() -> None:
    assert metrics.share([]) is None
    assert metrics.micro_f1([], []) is None
    assert metrics.macro_f1([], []) is None
    assert metrics.auroc([], []) is None
    assert metrics.recall_at_fpr([], [], 0.05) is None
    assert metrics.expected_calibration_error([], []) is None
    assert metrics.percentile([], 50) is None
    assert metrics.precision_recall([], []) == (None, None)


def test_percentile_interpolates() -> None:
    assert metrics.percentile([1.0, 2.0, 3.0, 4.0], 50) == 2.5
