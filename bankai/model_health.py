"""Keeps a service's health what its models' is."""

import asyncio
import logging
from collections.abc import Collection

import structlog

from bankai.inference.backend import InferenceBackend
from bankai.server import GrpcServer

log = structlog.get_logger(__name__)

_READY_EVERY_S = 2.0
"""How often the models' readiness is looked at."""
_STARTING_S = 0.1
"""The same until the server listens."""


async def watch_models(
    server: GrpcServer, backend: InferenceBackend, models: Collection[str], services: Collection[str]
) -> None:
    """Says of services that they serve while all their models answer; until cancelled.

    Looking for the first time loads the models.

    Args:
        server: The services' server.
        backend: Runs the models.
        models: Names of the models.
        services: Full names of the services.
    """
    healthy = True
    while True:
        ready = all(await asyncio.gather(*(backend.ready(model) for model in models)))
        if server.port and ready is not healthy:
            log.log(logging.INFO if ready else logging.ERROR, "models answer" if ready else "models do not answer")
            for service in services:
                await server.set_serving(service, serving=ready)
            healthy = ready
        await asyncio.sleep(_READY_EVERY_S if server.port else _STARTING_S)
