import pytest

from benchmarks.command import rounded
from benchmarks.processes import MemoryWatch, difference
from benchmarks.statistics import milliseconds, paired_ratio, slope_per_minute


def test_percentiles_are_milliseconds_of_all_that_was_measured() -> None:
    figures = milliseconds([each / 1000 for each in range(1, 101)])
    assert figures["p50_ms"] == pytest.approx(50.5)
    assert figures["p99_ms"] == pytest.approx(99.01)
    assert figures["max_ms"] == pytest.approx(100)
    assert figures["n"] == 100


def test_nothing_measured_has_no_percentiles() -> None:
    assert milliseconds([]) == {"p50_ms": None, "p95_ms": None, "p99_ms": None, "max_ms": None, "n": 0}


def test_a_slope_is_the_change_per_minute() -> None:
    assert slope_per_minute([0, 30, 60], [10, 11, 12]) == pytest.approx(2)


def test_what_is_flat_has_no_slope() -> None:
    assert slope_per_minute([1, 2, 3], [7, 7, 7]) == 0


@pytest.mark.parametrize("seconds", [[], [1.0], [1.0, 1.0]])
def test_one_moment_has_no_slope(seconds: list[float]) -> None:
    assert slope_per_minute(seconds, seconds) is None


def test_a_slow_moment_of_the_machine_changes_no_ratio() -> None:
    assert paired_ratio([80, 8, 80], [100, 10, 100]) == pytest.approx(0.8)


def test_nothing_to_compare_with_is_no_ratio() -> None:
    assert paired_ratio([1.0], [0.0]) is None


def test_memory_is_judged_once_it_should_have_settled() -> None:
    watch = MemoryWatch(seconds=[0, 10, 20, 30], mib={"gateway": [50, 100, 100, 100]})
    assert watch.report(10) == {
        "gateway": {
            "start_mib": 50,
            "settled_mib": 100,
            "end_mib": 100,
            "slope_mib_per_min": pytest.approx(0, abs=1e-9),
        }
    }


def test_a_run_that_is_too_short_to_settle_has_no_slope() -> None:
    assert MemoryWatch(seconds=[0], mib={"gateway": [50]}).report(10)["gateway"]["slope_mib_per_min"] is None


def test_what_was_used_is_told_by_process() -> None:
    assert difference({"a": 1.0, "b": 2.0}, {"a": 1.5, "b": 4.0}) == {"a": 0.5, "b": 2.0}


def test_reports_carry_four_digits() -> None:
    assert rounded({"a": [1.23456, 123456.0], "n": 123456}) == {"a": [1.235, 123500.0], "n": 123456}
