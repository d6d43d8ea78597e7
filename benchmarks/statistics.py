"""Numbers out of many measurements."""

from collections.abc import Sequence
from statistics import linear_regression, median

from bankai.evaluation.metrics import percentile

PERCENTILES = (50, 95, 99)


def milliseconds(seconds: Sequence[float]) -> dict[str, float | int | None]:
    """Percentiles of durations.

    Args:
        seconds: The durations.

    Returns:
        p50_ms, p95_ms, p99_ms and max_ms, None where nothing was measured, and how many there were.
    """
    scaled = [1000 * each for each in seconds]
    figures: dict[str, float | int | None] = {f"p{q}_ms": percentile(scaled, q) for q in PERCENTILES}
    return figures | {"max_ms": max(scaled, default=None), "n": len(scaled)}


def slope_per_minute(seconds: Sequence[float], values: Sequence[float]) -> float | None:
    """Least-squares slope of a series.

    Args:
        seconds: When each value was taken.
        values: The values.

    Returns:
        Change per minute; None for fewer than two moments.
    """
    if len(set(seconds)) < 2:
        return None
    return linear_regression(seconds, values).slope * 60


def paired_ratio(values: Sequence[float], bases: Sequence[float]) -> float | None:
    """Median ratio of measurements taken in turns, so that a slow moment of the machine hits both sides alike.

    Args:
        values: What is compared.
        bases: What it is compared with, pair by pair.

    Returns:
        None where there is nothing to compare.
    """
    ratios = [value / base for value, base in zip(values, bases, strict=True) if base]
    return median(ratios) if ratios else None
