from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from tests.gateway.conftest import Client, learned_methods, reached, settings_for, through
from tests.gateway.toy import SERVICE, Toy, serving

Routed = Callable[..., AbstractAsyncContextManager[Client]]


def sample(name: str, **labels: str) -> float:
    """A metric of the toy's way."""
    return REGISTRY.get_sample_value(name, {"service": SERVICE, **labels}) or 0.0


@pytest.fixture
def routed(key_file: tuple[Path, str]) -> Routed:
    """Opens a client of a gateway that knows the toy's methods.

    Each argument is a release, by its name: a toy, or several that are its pods; `route` is the rest of the route.
    """

    @asynccontextmanager
    async def open_(route: dict[str, Any] | None = None, **releases: Toy | tuple[Toy, ...]) -> AsyncIterator[Client]:
        async with AsyncExitStack() as stack:
            targets = {}
            for release, toys in releases.items():
                ports = [
                    await stack.enter_async_context(serving(toy, with_reflection=True))
                    for toy in (toys if isinstance(toys, tuple) else (toys,))
                ]
                targets[release] = "ipv4:" + ",".join(f"127.0.0.1:{port}" for port in ports)
            settings = settings_for({"releases": targets, **(route or {})}, key_file[0])
            client = await stack.enter_async_context(through(settings, key_file[1]))
            await reached(client)
            await learned_methods(client)
            for toys in releases.values():
                for toy in toys if isinstance(toys, tuple) else (toys,):
                    toy.requests.clear()
            yield client

    return open_
