"""Copies calls to a release whose answers nobody sees."""

import asyncio
import contextlib
import random
from dataclasses import replace

import grpc

from bankai.errors import BankaiError
from gateway.metadata import SHADOW_HEADER
from gateway.routing import metrics
from gateway.routing.attempts import Request, attempt
from gateway.routing.backend import Backend
from gateway.routing.model import ShadowRules


class Shadow:
    """Fire and forget, with bounded concurrency. How the copies end is in the metrics of the shadow's backend.

    Only calls without side effects are copied: a copied order would be given twice.

    Args:
        service: Full name of the service, for the metric.
        rules: What is copied.
        backend: The shadow release.
    """

    def __init__(self, service: str, rules: ShadowRules, backend: Backend) -> None:
        self._rules = rules
        self._backend = backend
        self._skipped = metrics.SHADOW_SKIPPED.labels(service, rules.release)
        self._copies: set[asyncio.Task[None]] = set()

    def copy(self, request: Request) -> None:
        """Sends a copy in the background, with the call's deadline, for the share of the calls that the rules say."""
        if not request.method.without_effects or random.uniform(0, 100) >= self._rules.percent:  # noqa: S311  # no secret
            return
        if len(self._copies) >= self._rules.max_calls:
            self._skipped.inc()
            return
        marked = replace(request, metadata=(*request.metadata, (SHADOW_HEADER, "1")), weighed=False)
        task = asyncio.create_task(self._send(marked))
        self._copies.add(task)
        task.add_done_callback(self._copies.discard)

    async def close(self) -> None:
        """Cancels the copies that are under way."""
        for task in self._copies:
            task.cancel()
        await asyncio.gather(*self._copies, return_exceptions=True)

    async def _send(self, request: Request) -> None:
        with contextlib.suppress(grpc.aio.AioRpcError, BankaiError):
            await attempt(self._backend, request)
