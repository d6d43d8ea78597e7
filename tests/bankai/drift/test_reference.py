import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.drift.reference import FILE, Distribution, Value, measured, read_reference
from bankai.errors import FaultError

numbers = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=300)
classes = st.lists(st.sampled_from(["a", "b", "c", "d"]), min_size=2, max_size=300)


@given(numbers | classes)
def test_every_value_has_its_bin(values: list[Value]) -> None:
    distribution = measured([{"f": value} for value in values]).features["f"]
    found = [0] * len(distribution.counts)
    for value in values:
        found[distribution.binning(value)] += 1
    assert tuple(found) == distribution.counts


def test_numbers_are_binned_by_tenths() -> None:
    distribution = measured([{"f": number} for number in range(1000)]).features["f"]
    assert len(distribution.edges) == 9
    assert distribution.counts == (100,) * 10


def test_a_number_that_never_varied_tells_others_from_itself() -> None:
    distribution = measured([{"f": 0.0}] * 50).features["f"]
    assert distribution.counts == (50, 0)
    assert [distribution.binning(value) for value in (0.0, 0.1)] == [0, 1]


def test_rare_and_unknown_classes_share_the_last_bin() -> None:
    distribution = measured([{"f": name} for name in ["a"] * 500 + ["b"] * 499 + ["rare"]]).features["f"]
    assert (distribution.classes, distribution.counts) == (("a", "b"), (500, 499, 1))
    assert [distribution.binning(name) for name in ("a", "b", "rare", "never seen")] == [0, 1, 2, 2]


def test_it_is_read_as_it_was_written(tmp_path: Path) -> None:
    reference = measured([{"number": index / 7, "class": "xy"[index % 2]} for index in range(100)])
    (tmp_path / FILE).write_text(reference.model_dump_json(), encoding="utf-8")
    assert read_reference(tmp_path, ["class", "number"]) == reference
    with pytest.raises(FaultError, match="must have the features number") as caught:
        read_reference(tmp_path, ["number"])
    assert caught.value.reason == "MODEL_REFERENCE_INVALID"


def test_a_version_need_not_have_one(tmp_path: Path) -> None:
    assert read_reference(tmp_path, ["f"]) is None


@pytest.mark.parametrize(
    ("feature", "problem"),
    [
        ({"counts": [1, 2]}, "either edges or classes"),
        ({"edges": [1], "classes": ["a"], "counts": [1, 2]}, "either edges or classes"),
        ({"edges": [1], "counts": [1, 2, 3]}, "one entry more"),
        ({"edges": [2, 1], "counts": [1, 2, 3]}, "must ascend"),
        ({"classes": ["a", "a"], "counts": [1, 2, 3]}, "no class be named twice"),
        ({"edges": [1], "counts": [-1, 2]}, "not be negative"),
        ({"edges": [1], "counts": [0, 0]}, "nor all 0"),
        ({"edges": [1], "counts": [1, 2], "more": 1}, "Extra inputs"),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, feature: dict[str, object], problem: str) -> None:
    (tmp_path / FILE).write_text(json.dumps({"features": {"f": feature}}))
    with pytest.raises(FaultError, match=problem):
        read_reference(tmp_path, ["f"])


def test_a_file_that_is_no_json(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"\xff")
    with pytest.raises(FaultError):
        read_reference(tmp_path, ["f"])


def test_distributions_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Distribution(edges=(1,), counts=(1, 2)).counts = (2, 1)  # type: ignore[misc]
