"""Accepts and resumes calls, and runs their streams."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator

from structlog.contextvars import bind_contextvars

from bankai import vouching
from bankai.errors import DeadlineError, FieldViolation, InvalidRequestError, NotFoundError, UnavailableError
from services.intent.answers import CallConfig, ClientMessage
from services.intent.live import LiveCalls, busy
from services.intent.session import Session
from services.intent.stream import CallResources, CallStream, Send
from services.intent.validation import check_call_id, check_language

_MAX_CHANNEL = 64
"""Characters of a channel's name in the log line of its call."""


class CallService:
    """All calls of this process.

    Args:
        resources: What the calls share.
        draining: Set when the server is about to stop.
    """

    def __init__(self, resources: CallResources, draining: asyncio.Event) -> None:
        self._live = LiveCalls()
        self._resources = resources
        self._store = resources.store
        self._draining = draining

    async def run(self, requests: AsyncIterator[ClientMessage], send: Send) -> None:
        """Runs one stream from its first message to its last.

        Args:
            requests: The client's messages.
            send: Sends a message to the client; returns once it may go on.

        Raises:
            BankaiError: What ended the stream early.
        """
        config = await self._config(requests)
        bind_contextvars(channel=config.channel[:_MAX_CHANNEL])
        if self._draining.is_set():
            raise UnavailableError("SERVER_DRAINING", "this server is going away; call again", retry_after=0.0)
        # An id is the channel's own: it neither meets nor resumes a call of another channel.
        key = f"{vouching.current().channel}/{config.call_id}"
        async with self._live.carry(key, take_over=config.resume) as must_end:
            owner = secrets.token_hex(8)
            if not await self._store.claim(key, owner, take_over=config.resume):
                raise busy(config.call_id)
            try:
                session = await self._open(config, key, owner)
                stream = CallStream(config, session, owner, self._resources, send)
                await stream.run(requests, draining=self._draining, must_end=must_end)
            finally:
                await self._store.release(key, owner)

    async def _config(self, requests: AsyncIterator[ClientMessage]) -> CallConfig:
        try:
            async with asyncio.timeout(self._resources.limits.idle_timeout_s):
                first = await anext(requests, None)
        except TimeoutError as error:
            raise DeadlineError("STREAM_IDLE", "no config was received; send it first") from error
        if not isinstance(first, CallConfig):
            violation = FieldViolation("config", "must be the first message of the stream")
            raise InvalidRequestError(
                "CONFIG_REQUIRED", "the first message of a stream must be the config", violations=[violation]
            )
        check_call_id(first.call_id)
        check_language(first.language, "config.language")
        vouching.current().check_language(first.language)
        return first

    async def _open(self, config: CallConfig, key: str, owner: str) -> Session:
        if config.resume:
            kept = await self._store.load(key)
            if kept is None:
                raise NotFoundError("CALL_NOT_FOUND", "nothing is kept of this call; start it again without resume")
            return kept
        session = Session(key, started_at=time.time())
        await self._store.save(session, owner, [])
        return session
