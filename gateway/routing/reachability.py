"""Follows which services are reached, for their health and for what is to be learned of them."""

import asyncio
from collections.abc import AsyncIterator

import grpc

from bankai.server import GrpcServer
from gateway.routing.methods import Methods
from gateway.routing.table import RouteTable


async def follow(table: RouteTable, server: GrpcServer, methods: Methods) -> None:
    """Keeps the health of every routed service, by its stable release, until cancelled.

    Args:
        table: The services.
        server: Tells their health.
        methods: Learns as soon as a service is reached, so that its first calls already have their rules.
    """
    following: dict[tuple[str, grpc.aio.Channel], asyncio.Task[None]] = {}

    async def one(service: str, channel: grpc.aio.Channel) -> None:
        async for reached in _reached(channel):
            if reached:
                methods.learn(service)
            await server.set_serving(service, serving=reached)

    try:
        async for by_service in table.changes():
            for key in following.keys() - by_service.items():
                following.pop(key).cancel()
                await server.forget(key[0])
            server.add_elsewhere(by_service.keys() - {service for service, _ in following})
            for key in by_service.items() - following.keys():
                following[key] = asyncio.create_task(one(*key))
    finally:
        for task in following.values():
            task.cancel()
        await asyncio.gather(*following.values(), return_exceptions=True)


async def _reached(channel: grpc.aio.Channel) -> AsyncIterator[bool]:
    """Connects, and tells whether a server says it is serving: now and at every change."""
    while True:
        state = channel.get_state(try_to_connect=True)
        yield state is grpc.ChannelConnectivity.READY
        await channel.wait_for_state_change(state)
