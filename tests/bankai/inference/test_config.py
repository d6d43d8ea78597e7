from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bankai.errors import FaultError
from bankai.inference.backend import TensorSpec
from bankai.inference.config import BatchPolicy, QueuePolicy, parse

_MINIMAL = """
name: "m"
backend: "onnxruntime"
max_batch_size: 16
input [
  { name: "ids" data_type: TYPE_INT64 dims: [ -1 ] },
  { name: "hint" data_type: TYPE_STRING dims: [ 2 ] optional: true }
]
output [ { name: "probs" data_type: TYPE_FP32 dims: [ 49 ] } ]
"""


def test_says_what_the_file_says() -> None:
    config = parse(
        _MINIMAL
        + """
        instance_group [ { count: 3 }, { count: 1 } ]
        default_model_filename: "small.onnx"
        dynamic_batching {
          preferred_batch_size: [ 8, 4 ]
          max_queue_delay_microseconds: 500
          default_queue_policy { max_queue_size: 100 default_timeout_microseconds: 2000 allow_timeout_override: true }
        }
        """,
        "m",
    )
    assert config.inputs == (
        TensorSpec("ids", np.dtype(np.int64), (-1,)),
        TensorSpec("hint", np.dtype(object), (2,), optional=True),
    )
    assert config.outputs == (TensorSpec("probs", np.dtype(np.float32), (49,)),)
    assert config.max_batch_size == 16
    assert config.instances == 4
    assert config.file == "small.onnx"
    assert config.batching == BatchPolicy(max_rows=16, preferred_rows=(4, 8), max_delay=0.0005)
    assert config.queue == QueuePolicy(max_size=100, timeout=0.002)


def test_defaults_are_those_of_triton() -> None:
    config = parse(_MINIMAL, "m")
    assert config.batching is None
    assert config.queue == QueuePolicy(max_size=0, timeout=0)
    assert config.instances == 2
    assert config.file == "model.onnx"
    assert config.versions is None
    assert parse(_MINIMAL + "dynamic_batching { }", "m").batching == BatchPolicy(max_rows=16, preferred_rows=(16,))


def test_an_older_file_may_name_the_platform_instead_of_the_backend() -> None:
    assert parse(_MINIMAL.replace('backend: "onnxruntime"', 'platform: "onnxruntime_onnx"'), "m").name == "m"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (("max_batch_size: 16", "max_batch_sise: 16"), 'no field named "max_batch_sise"'),
        (("max_batch_size: 16", "max_batch_size: -1"), "must not be negative"),
        (('name: "m"', 'name: "n"'), "the name inside is 'n'"),
        (('backend: "onnxruntime"', 'backend: "python"'), "backend must be onnxruntime"),
        (("TYPE_FP32", "TYPE_BF16"), "tensor 'probs' has type BF16"),
        (("data_type: TYPE_FP32", ""), "tensor 'probs' has type INVALID"),
        (("dims: [ 49 ]", "dims: [ 49 ] reshape { shape: [ 7, 7 ] }"), "reshape"),
        (("dims: [ -1 ]", "dims: [ -1 ] allow_ragged_batch: true"), "ragged"),
        (("max_batch_size: 16", "max_batch_size: 16 sequence_batching { }"), "only dynamic_batching"),
        (("max_batch_size: 16", "max_batch_size: 16 ensemble_scheduling { }"), "only dynamic_batching"),
        (("max_batch_size: 16", "max_batch_size: 16 dynamic_batching { priority_levels: 2 }"), "priority"),
        (
            (
                "max_batch_size: 16",
                "max_batch_size: 16 dynamic_batching { default_queue_policy { timeout_action: DELAY } }",
            ),
            "DELAY",
        ),
        (
            ("max_batch_size: 16", "max_batch_size: 16 dynamic_batching { preferred_batch_size: 17 }"),
            "between 1 and max_batch_size, 16",
        ),
        (("max_batch_size: 16", 'max_batch_size: 16 batch_input { target_name: "n" }'), "batch inputs"),
        (("output [", "input ["), "at least one input and one output"),
    ],
)
def test_refuses_what_cannot_be_served_and_says_why(change: tuple[str, str], complaint: str) -> None:
    with pytest.raises(FaultError, match=complaint) as caught:
        parse(_MINIMAL.replace(*change), "m")
    assert caught.value.reason == "MODEL_CONFIG_INVALID"
    assert "'m'" in caught.value.message


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text, "m")
    except FaultError as error:
        assert error.reason == "MODEL_CONFIG_INVALID"  # noqa: PT017 - either outcome is right


@given(st.integers(1, 64), st.lists(st.integers(1, 64)))
def test_preferred_sizes_are_ascending_and_possible(most: int, preferred: list[int]) -> None:
    sizes: Any = preferred
    text = _MINIMAL.replace("max_batch_size: 16", f"max_batch_size: {most}")
    text += f"dynamic_batching {{ preferred_batch_size: {sizes} }}" if preferred else "dynamic_batching { }"
    if max(preferred, default=1) > most:
        with pytest.raises(FaultError):
            parse(text, "m")
        return
    policy = parse(text, "m").batching
    assert policy is not None
    assert list(policy.preferred_rows) == (sorted(preferred) or [most])
