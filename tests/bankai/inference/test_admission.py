import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.errors import InvalidRequestError
from bankai.inference.admission import admit
from bankai.inference.backend import Tensor
from bankai.inference.config import ModelConfig, parse

_TEXT = """
backend: "onnxruntime"
max_batch_size: 4
input [
  { name: "ids" data_type: TYPE_INT64 dims: [ -1 ] },
  { name: "page" data_type: TYPE_FP32 dims: [ 3, -1 ] optional: true }
]
output [ { name: "y" data_type: TYPE_FP32 dims: [ 1 ] } ]
"""
_CONFIG = parse(_TEXT, "m")


def _ids(rows: int, length: int = 5) -> Tensor:
    return np.zeros((rows, length), np.int64)


def test_counts_rows_and_keys_shapes() -> None:
    assert admit(_CONFIG, {"ids": _ids(3)}) == (3, (("ids", (5,)),))
    page = np.zeros((3, 3, 7), np.float32)
    assert admit(_CONFIG, {"page": page, "ids": _ids(3)}) == (3, (("ids", (5,)), ("page", (3, 7))))


@given(st.integers(1, 4), st.integers(0, 9), st.integers(1, 4), st.integers(0, 9))
def test_keys_are_equal_exactly_where_rows_can_be_stacked(rows: int, length: int, more: int, other: int) -> None:
    first = admit(_CONFIG, {"ids": _ids(rows, length)})
    second = admit(_CONFIG, {"ids": _ids(more, other)})
    assert (first[1] == second[1]) == (length == other)


def test_a_model_without_a_batch_axis_takes_the_whole_shape() -> None:
    config = parse(_TEXT.replace("max_batch_size: 4", "max_batch_size: 0"), "m")
    assert admit(config, {"ids": np.zeros(7, np.int64)}) == (1, (("ids", (7,)),))
    with pytest.raises(InvalidRequestError):
        admit(config, {"ids": _ids(1)})


@pytest.mark.parametrize(
    ("inputs", "complaint"),
    [
        ({}, "'ids' is missing"),
        ({"page": np.zeros((1, 3, 1), np.float32)}, "'ids' is missing"),
        ({"ids": _ids(1), "mask": _ids(1)}, "no input 'mask'"),
        ({"ids": _ids(1).astype(np.int32)}, "'ids' must have type int64, not int32"),
        ({"ids": np.zeros(5, np.int64)}, "'ids' must have shape"),
        ({"ids": np.zeros((), np.int64)}, "'ids' must have shape"),
        ({"ids": _ids(1), "page": np.zeros((1, 4, 1), np.float32)}, r"'page' must have shape \[3, -1\] per row"),
        ({"ids": _ids(2), "page": np.zeros((1, 3, 1), np.float32)}, "'page' has 1 rows, the inputs before it 2"),
        ({"ids": _ids(0)}, "1 to 4 rows, not 0"),
        ({"ids": _ids(5)}, "1 to 4 rows, not 5"),
    ],
)
def test_refuses_what_the_model_does_not_take(inputs: dict[str, Tensor], complaint: str) -> None:
    config: ModelConfig = _CONFIG
    with pytest.raises(InvalidRequestError, match=complaint) as caught:
        admit(config, inputs)
    assert caught.value.reason == "MODEL_INPUT_INVALID"
