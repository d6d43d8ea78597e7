"""Times between protobuf and seconds since 1970, to the microsecond."""

from google.protobuf.timestamp_pb2 import Timestamp

_MICRO = 1_000_000


def timestamp(seconds: float) -> Timestamp:
    """A time in seconds since 1970."""
    whole, micros = divmod(round(seconds * _MICRO), _MICRO)
    return Timestamp(seconds=whole, nanos=micros * 1000)


def seconds(time: Timestamp) -> float:
    """The same the other way round; 0 where it is unset. Takes any time, also one that protobuf calls invalid."""
    return time.seconds + time.nanos / 1e9
