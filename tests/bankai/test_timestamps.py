import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from hypothesis import given
from hypothesis import strategies as st

from bankai.timestamps import seconds, timestamp


@given(st.floats(-1e10, 1e11))
def test_a_time_comes_back_to_the_microsecond(value: float) -> None:
    assert seconds(timestamp(value)) == pytest.approx(value, abs=2e-6, rel=1e-12)
    assert 0 <= timestamp(value).nanos < 1_000_000_000


def test_a_time_that_no_calendar_has_breaks_nothing() -> None:
    assert seconds(Timestamp(seconds=10**12)) == 1e12
    assert seconds(Timestamp()) == 0.0
