"""The metrics that evaluations report, on plain sequences.

A metric that its data do not define (no positive case, no row) is None, which JSON shows as null: a bank must never
read a made-up 0 as a measurement. scikit-learn is no run-time requirement; the tests hold these functions against it.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

Label = Hashable

ECE_BINS = 15
"""Equal-width bins of the expected calibration error (Guo et al., 2017, arXiv:1706.04599)."""


def share(hits: Iterable[bool]) -> float | None:
    """Share of cases that hold, in [0, 1]."""
    values = list(hits)
    return sum(values) / len(values) if values else None


def ratio(part: float, whole: float) -> float | None:
    """A part by the whole; None where there is no whole."""
    return part / whole if whole else None


def precision_recall(gold: Sequence[bool], predicted: Sequence[bool]) -> tuple[float | None, float | None]:
    """Precision and recall of a yes/no decision.

    Returns:
        (precision, None where nothing was predicted; recall, None where gold has no case).
    """
    both = sum(g and p for g, p in zip(gold, predicted, strict=True))
    return ratio(both, sum(predicted)), ratio(both, sum(gold))


def micro_f1(gold: Sequence[Collection[Label]], predicted: Sequence[Collection[Label]]) -> float | None:
    """F1 over all (row, label) pairs of a multi-label task."""
    hits, misses, extras = _counts(gold, predicted)
    return ratio(2 * hits.total(), 2 * hits.total() + misses.total() + extras.total())


def macro_f1(gold: Sequence[Collection[Label]], predicted: Sequence[Collection[Label]]) -> float | None:
    """Mean of the labels' F1 in a multi-label task, over the labels present in gold."""
    hits, misses, extras = _counts(gold, predicted)
    labels = hits.keys() | misses.keys()
    if not labels:
        return None
    return sum(2 * hits[x] / (2 * hits[x] + misses[x] + extras[x]) for x in labels) / len(labels)


def auroc(positive: Sequence[bool], scores: Sequence[float]) -> float | None:
    """Probability that a positive case scores above a negative one, ties counting half; None where a side is empty."""
    is_positive, values = np.asarray(positive, bool), np.asarray(scores, float)
    positives = int(is_positive.sum())
    negatives = len(is_positive) - positives
    if not positives or not negatives:
        return None
    # The rank of a tie is the mean of the ranks it takes up.
    _, group, sizes = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(sizes) - (sizes - 1) / 2)[group]
    above = ranks[is_positive].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


def recall_at_fpr(positive: Sequence[bool], scores: Sequence[float], max_fpr: float) -> float | None:
    """Highest recall of any threshold with a false-positive rate of at most `max_fpr`; None where a side is empty."""
    is_positive, values = np.asarray(positive, bool), np.asarray(scores, float)
    ours, others = np.sort(values[is_positive]), np.sort(values[~is_positive])
    if not len(ours) or not len(others):
        return None
    thresholds = np.unique(values)
    fpr = _share_at_or_above(others, thresholds)
    recall = _share_at_or_above(ours, thresholds)
    return float(recall[fpr <= max_fpr].max(initial=0.0))


def expected_calibration_error(confidence: Sequence[float], right: Sequence[bool]) -> float | None:
    """Mean distance between confidence and accuracy over `ECE_BINS` equal-width bins, weighted by their rows.

    Args:
        confidence: Probability of each answer, in [0, 1].
        right: Whether that answer was right.
    """
    if not confidence:
        return None
    values, truth = np.asarray(confidence, float), np.asarray(right, float)
    bins = np.minimum((values * ECE_BINS).astype(int), ECE_BINS - 1)
    gaps = np.bincount(bins, values - truth, ECE_BINS)
    return float(np.abs(gaps).sum() / len(values))


def percentile(values: Sequence[float], q: float) -> float | None:
    """The q-th percentile, 0 to 100, interpolated linearly; None for no values."""
    return float(np.percentile(np.asarray(values, float), q)) if values else None


def _share_at_or_above(sorted_scores: NDArray[np.float64], thresholds: NDArray[np.float64]) -> NDArray[np.float64]:
    above = len(sorted_scores) - np.searchsorted(sorted_scores, thresholds, side="left")
    shares: NDArray[np.float64] = above / len(sorted_scores)  # of whole numbers, so that 3 of 10 is no more than 0.3
    return shares


def _counts(
    gold: Sequence[Collection[Label]], predicted: Sequence[Collection[Label]]
) -> tuple[Counter[Label], Counter[Label], Counter[Label]]:
    """True positives, false negatives and false positives of every label."""
    hits: Counter[Label] = Counter()
    misses: Counter[Label] = Counter()
    extras: Counter[Label] = Counter()
    for wanted, found in zip(map(set, gold), map(set, predicted), strict=True):
        hits.update(wanted & found)
        misses.update(wanted - found)
        extras.update(found - wanted)
    return hits, misses, extras
