"""What a channel is told, and what is counted, when a limit is reached."""

from prometheus_client import Counter

from bankai.errors import ExhaustedError, QuotaViolation
from gateway.policy.model import ChannelLimits
from gateway.quota.bucket import burst_of

LIMITED = Counter(
    "bankai_gateway_limited_calls", "Calls that a limit of their channel refused or ended.", ("channel", "reason")
)

# When one of many calls ends is not known; a second is what the server's own limit says, too.
_SOME_END_S = 1.0


def rate_limited(channel: str, limits: ChannelLimits, wait_s: float) -> ExhaustedError:
    """The channel calls too fast.

    Args:
        channel: Its name.
        limits: Its limits, with a rate.
        wait_s: Seconds until a call will be let in.
    """
    rate = limits.calls_per_s or 0.0
    return _refusal(
        "RATE_LIMITED",
        QuotaViolation(
            _subject(channel),
            f"at most {rate:g} calls a second, {burst_of(limits)} at once after a pause",
            "calls",
            "calls_per_s",
            _whole(rate),
        ),
        "slow down and try again after the delay",
        wait_s,
    )


def day_exhausted(channel: str, limits: ChannelLimits, wait_s: float) -> ExhaustedError:
    """The channel has made all calls of its day.

    Args:
        channel: Its name.
        limits: Its limits, with those of a day.
        wait_s: Seconds until the day of UTC ends.
    """
    per_day = limits.calls_per_day or 0
    return _refusal(
        "DAILY_QUOTA_EXHAUSTED",
        QuotaViolation(
            _subject(channel), f"at most {per_day} calls in a day of UTC", "calls", "calls_per_day", per_day
        ),
        "try again when the next day of UTC begins",
        wait_s,
    )


def too_many_calls(channel: str, limit: int) -> ExhaustedError:
    """As many calls of the channel are in flight as may be."""
    return _refusal(
        "TOO_MANY_CALLS_OF_CHANNEL",
        QuotaViolation(_subject(channel), f"at most {limit} calls at once", "calls", "calls_at_once", limit),
        "wait until some have ended",
        _SOME_END_S,
    )


def too_many_streams(channel: str, limit: int) -> ExhaustedError:
    """As many streams of the channel are open as may be."""
    return _refusal(
        "TOO_MANY_STREAMS_OF_CHANNEL",
        QuotaViolation(_subject(channel), f"at most {limit} streams at once", "streams", "streams_at_once", limit),
        "wait until some have ended",
        _SOME_END_S,
    )


def stream_messages_exhausted(channel: str, limit: int) -> ExhaustedError:
    """The client has sent all messages that one stream may have."""
    return _refusal(
        "STREAM_MESSAGES_EXHAUSTED",
        QuotaViolation(
            _subject(channel), f"at most {limit} messages on a stream", "messages", "max_stream_messages", limit
        ),
        "go on with a new stream",
        0.0,
    )


def stream_too_long(channel: str, limit_s: float) -> ExhaustedError:
    """The stream has been open for as long as it may."""
    return _refusal(
        "STREAM_TOO_LONG",
        QuotaViolation(
            _subject(channel), f"at most {limit_s:g} s a stream", "seconds", "max_stream_s", _whole(limit_s)
        ),
        "go on with a new stream",
        0.0,
    )


def message_too_large(channel: str, limit: int, size: int) -> ExhaustedError:
    """The client has sent a message of more bytes than it may."""
    return _refusal(
        "MESSAGE_TOO_LARGE",
        QuotaViolation(_subject(channel), f"at most {limit} bytes a message", "bytes", "max_message_bytes", limit),
        f"this one has {size}: send less at once",
        None,
    )


def _refusal(reason: str, violation: QuotaViolation, advice: str, retry_after: float | None) -> ExhaustedError:
    channel = violation.subject.partition(":")[2]
    LIMITED.labels(channel, reason).inc()
    return ExhaustedError(
        reason,
        f"channel {channel} may have {violation.description}; {advice}",
        quotas=[violation],
        retry_after=retry_after,
    )


def _subject(channel: str) -> str:
    return f"channel:{channel}"


def _whole(value: float) -> int:
    return int(value) if value.is_integer() else 0
