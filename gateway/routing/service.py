"""The route of one service, at work: its backends, and which of them a call gets."""

import functools
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import grpc

from gateway.routing.backend import Backend, Judge
from gateway.routing.canary import CanaryWatch
from gateway.routing.model import EVERY_METHOD, STABLE, CanaryRules, MethodRules, Route
from gateway.routing.shadow import Shadow

_HASH_BYTES = 8


@dataclass(frozen=True, slots=True)
class Choice:
    """Where a call goes.

    Attributes:
        backend: The release it gets.
        weighed: Whether weights decided so, and a canary is judged by it.
    """

    backend: Backend
    weighed: bool


class Service:
    """A service's releases and what chooses among them.

    Args:
        name: Full name of the service.
        route: Its route.
        open_channel: Opens the channel of a target.
    """

    def __init__(self, name: str, route: Route, open_channel: Callable[[str], grpc.aio.Channel]) -> None:
        self.name = name
        self.route = route
        self._watch = CanaryWatch(name, route.canary) if route.canary else None
        self._backends: Mapping[str, Backend] = {
            release: Backend(name, release, open_channel(target), route, self._judge(release))
            for release, target in route.releases.items()
        }
        self.stable = self._backends[STABLE]
        self.shadow = Shadow(name, route.shadow, self._backends[route.shadow.release]) if route.shadow else None
        self._every = route.rules(EVERY_METHOD)
        self._rules = {method: route.rules(method) for method in route.methods}

    def rules(self, method: str) -> MethodRules:
        """What holds for the calls of a method.

        Args:
            method: Name of the rpc.
        """
        return self._rules.get(method, self._every)

    def choose(self, channel: str, key: str) -> Choice:
        """Chooses the release for a call.

        Args:
            channel: Whose call it is.
            key: Calls of one key get the same release while the weights stay.
        """
        pinned = self.route.pinned.get(channel)
        if pinned is not None:
            return Choice(self._backends[pinned], weighed=False)
        canary = self.route.canary
        if canary is None or self._watch is None or self._watch.stopped:
            return Choice(self.stable, weighed=False)
        percent = canary.channels.get(channel, canary.percent)
        if percent <= 0:
            return Choice(self.stable, weighed=False)
        on_trial = _point(self.name, key) < percent
        return Choice(self._backends[canary.release] if on_trial else self.stable, weighed=True)

    async def close(self, successor: Route | None = None) -> None:
        """Ends what goes on in the background; the channels belong to somebody else.

        Args:
            successor: The service's next route, if it has one: its releases' metrics tell of that by now.
        """
        if self.shadow is not None:
            await self.shadow.close()
        for release, backend in self._backends.items():
            if successor is None or release not in successor.releases:
                backend.forget()
        if self._watch is not None and not (
            successor and successor.canary and successor.canary.release == self._watch.release
        ):
            self._watch.forget()

    def _judge(self, release: str) -> Judge | None:
        canary: CanaryRules | None = self.route.canary
        if self._watch is None or canary is None or release not in (STABLE, canary.release):
            return None
        return functools.partial(self._watch.record, on_trial=release == canary.release)


def _point(service: str, key: str) -> float:
    """A point in [0, 100) that is always the same for a key, and differs between services."""
    digest = hashlib.blake2b(key.encode(), digest_size=_HASH_BYTES, key=service.encode()[:64]).digest()
    return 100.0 * int.from_bytes(digest) / 2.0 ** (8 * _HASH_BYTES)
