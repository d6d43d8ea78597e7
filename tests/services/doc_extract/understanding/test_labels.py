import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.errors import FaultError
from bankai.inference.label_file import FILE, read_labels
from services.doc_extract.understanding.labels import Calibration, RoleLabels
from services.doc_extract.understanding.understander import known_fields

GOOD = {"model": "doc_roles", "fields": ["amount", "rate"], "calibration": {"amount": {"scale": 1.0, "shift": 0.0}}}


def write(folder: Path, content: object) -> None:
    (folder / FILE).write_text(json.dumps(content))


def test_fields_come_in_the_model_s_order(tmp_path: Path) -> None:
    write(tmp_path, GOOD)
    assert [field.id for field in known_fields(read_labels(tmp_path, RoleLabels))] == ["amount", "rate"]


@pytest.mark.parametrize(
    "content", [{}, GOOD | {"fields": []}, GOOD | {"calibration": {"amount": {"scale": 0, "shift": 1}}}]
)
def test_wrong_labels_are_refused(tmp_path: Path, content: object) -> None:
    write(tmp_path, content)
    with pytest.raises(FaultError) as error:
        read_labels(tmp_path, RoleLabels)
    assert error.value.reason == "MODEL_LABELS_INVALID"


def test_missing_labels_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FaultError, match="cannot be read"):
        read_labels(tmp_path, RoleLabels)


def test_a_field_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    write(tmp_path, GOOD | {"fields": ["colour"]})
    with pytest.raises(FaultError) as error:
        known_fields(read_labels(tmp_path, RoleLabels))
    assert error.value.reason == "MODEL_LABELS_MISMATCH"


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0.01, 5), st.floats(-5, 5))
def test_a_surer_value_is_never_less_probable(one: float, other: float, scale: float, shift: float) -> None:
    calibration = Calibration(scale=scale, shift=shift)
    low, high = sorted((one, other))
    assert 0 <= calibration.probability(low) <= calibration.probability(high) <= 1
