"""The policy that is in force, with its questions answered ahead."""

from pathlib import Path

from bankai.watched import Watched
from gateway.authn.caller import Caller
from gateway.policy.decision import Decision, decide
from gateway.policy.loading import read_policy
from gateway.policy.model import Policy

_MAX_DECISIONS = 4096


class PolicyInForce:
    """A policy with what each call asks of it. What it decides is decided once.

    Args:
        policy: The policy.
    """

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        channels = policy.channels.items()
        self._certificates = {each: name for name, channel in channels for each in channel.certificates}
        self._clients = {each: name for name, channel in channels for each in channel.clients}
        self._decisions: dict[tuple[Caller, str], Decision] = {}

    def channel_of_certificate(self, name: str) -> str | None:
        """The channel that a name of a client certificate stands for."""
        return self._certificates.get(name)

    def channel_of_client(self, client: str) -> str | None:
        """The channel that a client of the identity provider stands for."""
        return self._clients.get(client)

    def decide(self, caller: Caller, method: str) -> Decision:
        """Whether a caller may call a method; see `gateway.policy.decision`.

        Args:
            caller: Who calls.
            method: Full path of the method.
        """
        decision = self._decisions.get((caller, method))
        if decision is None:
            if len(self._decisions) >= _MAX_DECISIONS:
                self._decisions.clear()
            decision = self._decisions[caller, method] = decide(self.policy, caller, method)
        return decision


class Policies:
    """The policy of a file, which is read again when it changes.

    Args:
        file: The file.

    Raises:
        ValueError: It is wrong; the message says in which line.
    """

    def __init__(self, file: Path) -> None:
        self._watched = Watched((file,), lambda: PolicyInForce(read_policy(file)))

    @property
    def current(self) -> PolicyInForce:
        """The policy as of now."""
        return self._watched.current
