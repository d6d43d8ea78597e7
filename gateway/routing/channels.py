"""Channels to the services behind the gateway, one for each target."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass

import grpc

from bankai.channel import channel_options
from gateway.settings import BackendSettings

# Every two seconds a pod that answered nearly nothing well is left out, ever longer while that goes on; half of the
# pods at most, as when all fail it is better to try them than to call none. As grpc counts, a wrong request that is
# refused has failed, too, hence the high threshold.
_OUTLIERS = {
    "interval": "2s",
    "baseEjectionTime": "5s",
    "maxEjectionTime": "60s",
    "maxEjectionPercent": 50,
    "failurePercentageEjection": {
        "threshold": 75,
        "enforcementPercentage": 100,
        "minimumHosts": 2,
        "requestVolume": 5,
    },
    "childPolicy": [{"round_robin": {}}],
}
# Only servers that say they are serving get calls, which lets them leave without losing one. No retry policy: whether a
# method may be called again is known only once the channel is open, and its attempts would escape budget and breaker;
# grpc sends again what never left or what the server says it never took up, which is always safe.
_SERVICE_CONFIG = json.dumps(
    {
        "loadBalancingConfig": [{"outlier_detection_experimental": _OUTLIERS}],
        "healthCheckConfig": {"serviceName": ""},
    }
)
_FIRST_RECONNECT_MS = 100
# After a connection is lost, names are looked up again, but no more often than this; 30 s by default.
_MIN_LOOKUP_MS = 5000
# Calls that chose a channel before it was given up may still begin, or begin again, for about as long as they last.
_LINGER_S = 60.0


@dataclass
class _Shared:
    channel: grpc.aio.Channel
    users: int = 0


class Channels:
    """Opens channels, shares them, and closes those that nobody uses any more.

    Args:
        settings: How the services are reached.
        max_message_bytes: Largest message in either direction, in bytes.
        grace_s: How long the calls of a channel that nobody uses any more may go on.
    """

    def __init__(self, settings: BackendSettings, max_message_bytes: int, grace_s: float) -> None:
        self._options = (
            *channel_options(
                max_message_bytes=max_message_bytes,
                keepalive_s=settings.keepalive_s,
                ping_timeout_s=settings.ping_timeout_s,
            ),
            ("grpc.service_config", _SERVICE_CONFIG),
            ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
            ("grpc.min_reconnect_backoff_ms", round(settings.max_reconnect_s * 1000)),
            ("grpc.max_reconnect_backoff_ms", round(settings.max_reconnect_s * 1000)),
            ("grpc.dns_min_time_between_resolutions_ms", _MIN_LOOKUP_MS),
        )
        self._credentials = _credentials(settings)
        self._grace_s = grace_s
        self._shared: dict[str, _Shared] = {}
        self._leaving: dict[asyncio.Task[None], grpc.aio.Channel] = {}

    def use(self, target: str) -> grpc.aio.Channel:
        """The channel of a target; `release` it as often as it was asked for."""
        shared = self._shared.get(target)
        if shared is None:
            shared = self._shared[target] = _Shared(self._open(target))
        shared.users += 1
        return shared.channel

    def release(self, targets: Iterable[str]) -> None:
        """Gives channels back. One that has no user left is closed once its calls have ended."""
        for target in targets:
            shared = self._shared[target]
            shared.users -= 1
            if not shared.users:
                del self._shared[target]
                task = asyncio.create_task(self._close_later(shared.channel))
                self._leaving[task] = shared.channel
                task.add_done_callback(self._leaving.pop)

    async def close(self) -> None:
        """Closes every channel; calls in flight are cancelled."""
        leaving = dict(self._leaving)
        for task in leaving:
            task.cancel()
        await asyncio.gather(*leaving, return_exceptions=True)
        for channel in (*leaving.values(), *(shared.channel for shared in self._shared.values())):
            await channel.close()

    async def _close_later(self, channel: grpc.aio.Channel) -> None:
        await asyncio.sleep(_LINGER_S)
        await channel.close(self._grace_s)

    def _open(self, target: str) -> grpc.aio.Channel:
        if self._credentials is None:
            return grpc.aio.insecure_channel(target, self._options)
        return grpc.aio.secure_channel(target, self._credentials, self._options)


def _credentials(settings: BackendSettings) -> grpc.ChannelCredentials | None:
    if settings.ca is None:
        return None
    return grpc.ssl_channel_credentials(
        settings.ca.read_bytes(),
        settings.key.read_bytes() if settings.key else None,
        settings.cert.read_bytes() if settings.cert else None,
    )
