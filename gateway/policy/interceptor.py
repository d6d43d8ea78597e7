"""Lets pass what the policy allows."""

from collections.abc import Iterator
from contextlib import contextmanager

from bankai.interceptors import CallInfo, Context, SyncInterceptor
from gateway.authn.caller import current_caller
from gateway.policy import permit
from gateway.policy.policies import Policies


class PolicyInterceptor(SyncInterceptor):
    """Refuses every authenticated call that the policy does not allow. Belongs inside of the authentication.

    Args:
        policies: The policy.
    """

    def __init__(self, policies: Policies) -> None:
        self._policies = policies

    @contextmanager
    def around(self, call: CallInfo, context: Context) -> Iterator[None]:  # noqa: ARG002  # part of the protocol
        """Sets `current_permit()`; a call that needs no caller, such as a health check, needs no permit either.

        Raises:
            ForbiddenError: CHANNEL_UNKNOWN, METHOD_NOT_ALLOWED or SCOPE_MISSING.
        """
        try:
            caller = current_caller()
        except LookupError:
            pass
        else:
            permit.enter(self._policies.current.decide(caller, call.method).enforce())
        yield
