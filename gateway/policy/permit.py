"""What the policy lets the current call do."""

from contextvars import ContextVar
from dataclasses import dataclass

from gateway.policy.model import CallLimits, ChannelLimits, Priority


@dataclass(frozen=True, slots=True)
class Permit:
    """A call that the policy allows.

    Attributes:
        channel: Whose call it is.
        priority: Who goes first where there is not enough for all.
        channel_limits: Limits of all calls of the channel together.
        call_limits: Limits of this call.
    """

    channel: str
    priority: Priority
    channel_limits: ChannelLimits
    call_limits: CallLimits


_permit: ContextVar[Permit] = ContextVar("permit")


def current_permit() -> Permit:
    """The permit of the current call.

    Raises:
        LookupError: The call was not allowed, or is one that needs no permit, such as a health check.
    """
    return _permit.get()


def enter(permit: Permit) -> None:
    """Makes it the permit of the current call, for the rest of the call's task."""
    _permit.set(permit)
