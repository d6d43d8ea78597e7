"""The route table at work: which services there are, and what changes when the table does."""

import asyncio
from collections.abc import AsyncIterator, Mapping

import grpc

from gateway.routing.channels import Channels
from gateway.routing.model import Routes
from gateway.routing.service import Service


class RouteTable:
    """The services behind the gateway.

    Args:
        routes: Route by full name of the service.
        channels: Opens the channels; they are closed with the table.
    """

    def __init__(self, routes: Routes, channels: Channels) -> None:
        self._channels = channels
        self._services: dict[str, Service] = {}
        self._changed = asyncio.Event()
        self._add(routes)

    def get(self, service: str) -> Service | None:
        """The service of a name, if there is a route to it."""
        return self._services.get(service)

    @property
    def by_service(self) -> Mapping[str, grpc.aio.Channel]:
        """Channel of the stable release by full name of the service; services of one target share it."""
        return {name: service.stable.channel for name, service in self._services.items()}

    async def apply(self, routes: Routes) -> None:
        """Puts other routes into force. Calls in flight go on; services whose routes stay the same keep their state."""
        gone = [service for name, service in self._services.items() if routes.get(name) != service.route]
        kept = {service.name for service in self._services.values() if service not in gone}
        self._services = {name: self._services[name] for name in kept}
        self._add({name: route for name, route in routes.items() if name not in kept})
        # After that, so that a channel which is still used is not opened anew.
        self._channels.release(target for service in gone for target in service.route.releases.values())
        for service in gone:
            await service.close(routes.get(service.name))
        self._changed.set()
        self._changed = asyncio.Event()

    async def changes(self) -> AsyncIterator[Mapping[str, grpc.aio.Channel]]:
        """`by_service` now and after every change."""
        while True:
            changed = self._changed
            yield self.by_service
            await changed.wait()

    async def close(self) -> None:
        """Closes every channel; calls in flight are cancelled."""
        for service in self._services.values():
            await service.close()
        await self._channels.close()

    def _add(self, routes: Routes) -> None:
        for name, route in routes.items():
            self._services[name] = Service(name, route, self._channels.use)
