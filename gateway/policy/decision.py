"""Decides whether a caller may call a method, and says why."""

from dataclasses import dataclass

from bankai.errors import ForbiddenError
from gateway.authn.caller import Caller
from gateway.policy.model import ChannelPolicy, Grant, Policy
from gateway.policy.permit import Permit


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer.

    Attributes:
        reason: "ALLOWED", or the reason of the refusal: CHANNEL_UNKNOWN, METHOD_NOT_ALLOWED or SCOPE_MISSING.
        explanation: In words, for who keeps the policy.
        permit: What the call may do; None where it is refused.
    """

    reason: str
    explanation: str
    permit: Permit | None = None

    def enforce(self) -> Permit:
        """The permit.

        Raises:
            ForbiddenError: With the reason, where the call is refused.
        """
        if self.permit is None:
            raise ForbiddenError(self.reason, f"the bank's policy does not allow this call: {self.explanation}")
        return self.permit


def decide(policy: Policy, caller: Caller, method: str) -> Decision:
    """Whether a caller may call a method: only where a grant of its channel says so.

    Args:
        policy: The policy.
        caller: Who calls.
        method: Full path of the method, e.g. "/bankai.intent.v1.IntentService/Classify".
    """
    channel = policy.channels.get(caller.channel)
    if channel is None:
        return Decision("CHANNEL_UNKNOWN", f"it has no channel {caller.channel}")
    service, _, name = method.removeprefix("/").rpartition("/")
    grant = _grant(channel, service, name)
    if grant is None:
        known = sorted(f"{each.service}/{one}" for each in channel.allow for one in each.methods)
        return Decision(
            "METHOD_NOT_ALLOWED",
            f"channel {caller.channel} may call {', '.join(known) or 'nothing'}, and not {service}/{name}",
        )
    missing = sorted(set(grant.scopes) - caller.scopes) if caller.scopes is not None else []
    if missing:
        return Decision("SCOPE_MISSING", f"the access token lacks the scope {' '.join(missing)}")
    permit = Permit(caller.channel, channel.priority, channel.limits, grant.limits)
    named = name if name in grant.methods else "*"
    return Decision("ALLOWED", f"channel {caller.channel} may call {service}/{named}", permit)


def _grant(channel: ChannelPolicy, service: str, name: str) -> Grant | None:
    """The grant for a method: one that names it goes before one for all methods of the service."""
    for wanted in (name, "*"):
        for grant in channel.allow:
            if grant.service == service and wanted in grant.methods:
                return grant
    return None
