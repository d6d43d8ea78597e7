"""Channels to the services behind the gateway, one for each target."""

import json
from collections.abc import AsyncIterator, Mapping

import grpc

from bankai.channel import channel_options
from gateway.settings import BackendSettings, Routes

# Only servers that say they are serving get calls, which lets them leave without losing one. No retry policy: grpc
# sends again only what never left or what the server says it never took up, which is always safe.
_SERVICE_CONFIG = json.dumps({"loadBalancingConfig": [{"round_robin": {}}], "healthCheckConfig": {"serviceName": ""}})
_FIRST_RECONNECT_MS = 100
# After a connection is lost, names are looked up again, but no more often than this; 30 s by default.
_MIN_LOOKUP_MS = 5000


class Backends:
    """Opens the channels and finds the one of a service.

    Args:
        routes: Target by full name of the service.
        settings: How the services are reached.
        max_message_bytes: Largest message in either direction, in bytes.
    """

    def __init__(self, routes: Routes, settings: BackendSettings, max_message_bytes: int) -> None:
        options = (
            *channel_options(max_message_bytes=max_message_bytes, keepalive_s=settings.keepalive_s),
            ("grpc.service_config", _SERVICE_CONFIG),
            ("grpc.initial_reconnect_backoff_ms", _FIRST_RECONNECT_MS),
            ("grpc.min_reconnect_backoff_ms", round(settings.max_reconnect_s * 1000)),
            ("grpc.max_reconnect_backoff_ms", round(settings.max_reconnect_s * 1000)),
            ("grpc.dns_min_time_between_resolutions_ms", _MIN_LOOKUP_MS),
        )
        credentials = _credentials(settings)
        self._channels = {target: _open(target, credentials, options) for target in set(routes.values())}
        self.by_service: Mapping[str, grpc.aio.Channel] = {
            service: self._channels[target] for service, target in routes.items()
        }
        """Channel by full name of the service; services of one target share it."""

    async def reachable(self, service: str) -> AsyncIterator[bool]:
        """Connects, and tells whether a server of the service says it is serving: now and at every change."""
        channel = self.by_service[service]
        while True:
            state = channel.get_state(try_to_connect=True)
            yield state is grpc.ChannelConnectivity.READY
            await channel.wait_for_state_change(state)

    async def close(self) -> None:
        """Closes every channel; calls in flight are cancelled."""
        for channel in self._channels.values():
            await channel.close()


def _open(
    target: str, credentials: grpc.ChannelCredentials | None, options: tuple[tuple[str, int | str], ...]
) -> grpc.aio.Channel:
    if credentials is None:
        return grpc.aio.insecure_channel(target, options)
    return grpc.aio.secure_channel(target, credentials, options)


def _credentials(settings: BackendSettings) -> grpc.ChannelCredentials | None:
    if settings.ca is None:
        return None
    return grpc.ssl_channel_credentials(
        settings.ca.read_bytes(),
        settings.key.read_bytes() if settings.key else None,
        settings.cert.read_bytes() if settings.cert else None,
    )
