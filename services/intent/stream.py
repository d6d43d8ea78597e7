"""The life of one call's stream.

One task reads and fills the inbox, one answers finals strictly in order, one answers the newest partial beside them,
and two watch for what ends a stream from outside: silence, the server's drain, another stream that takes the call over.
Whichever of them ends first by an error ends the stream with it.
"""

import asyncio
import random
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import NoReturn

from bankai.errors import (
    BankaiError,
    ConflictError,
    DeadlineError,
    ExhaustedError,
    InvalidRequestError,
    UnavailableError,
)
from bankai.work_metrics import WorkMetrics
from services.intent.analysis import Analysis
from services.intent.answers import (
    Accepted,
    CallConfig,
    ClientMessage,
    Reconnect,
    Rejected,
    SegmentAnswer,
    ServerMessage,
)
from services.intent.classifier import UtteranceClassifier
from services.intent.inbox import Inbox
from services.intent.live import busy
from services.intent.segment import Segment
from services.intent.session import Session, fingerprint
from services.intent.sessions import SessionStore
from services.intent.settings import StreamSettings
from services.intent.summary import summarise
from services.intent.validation import check_segment

Send = Callable[[ServerMessage], Awaitable[None]]

_FINALS = WorkMetrics("final_segment")
_FIRST_PAUSE_S = 0.05
"""Pause before the first retry of an inference; each further one doubles it."""


@dataclass(frozen=True)
class CallResources:
    """What all calls of a process share.

    Attributes:
        classifier: Analyses utterances.
        store: Keeps calls between their streams.
        limits: Limits of a stream.
        keep_answers: Answers kept per call.
    """

    classifier: UtteranceClassifier
    store: SessionStore
    limits: StreamSettings
    keep_answers: int


class CallStream:
    """Carries one call from its acceptance to its summary.

    Args:
        config: What the client asked for.
        session: What is known of the call.
        owner: Name of this stream in the session store.
        resources: What all calls share.
        send: Sends a message to the client; returns once it may go on.
    """

    def __init__(self, config: CallConfig, session: Session, owner: str, resources: CallResources, send: Send) -> None:
        self._config = config
        self._session = session
        self._owner = owner
        self._classifier = resources.classifier
        self._store = resources.store
        self._limits = resources.limits
        self._keep_answers = resources.keep_answers
        self._write = send
        self._writing = asyncio.Lock()
        self._inbox = Inbox(resources.limits.max_waiting)
        self._came: deque[float] = deque()

    async def run(
        self, requests: AsyncIterator[ClientMessage], *, draining: asyncio.Event, must_end: asyncio.Event
    ) -> None:
        """Answers segments until the client has sent all and got its summary.

        Args:
            requests: The client's messages after the config.
            draining: Set when the server is about to stop.
            must_end: Set when another stream takes the call over.

        Raises:
            BankaiError: What ended the stream early; the session is kept.
        """
        work = asyncio.create_task(self._answer_finals())
        helpers = [
            asyncio.create_task(self._read(requests)),
            asyncio.create_task(self._answer_partials()),
            asyncio.create_task(self._watch(draining)),
            asyncio.create_task(_leave(must_end, self._config.call_id)),
        ]
        running = {work, *helpers}
        try:
            while not work.done():
                done, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for task in done - {work}:
                    task.result()
            work.result()
        finally:
            for task in (work, *helpers):
                task.cancel()
            await asyncio.gather(work, *helpers, return_exceptions=True)

    async def _send(self, message: ServerMessage, partial: Segment | None = None) -> None:
        """Sends a message, one at a time; not the answer to a partial whose final came meanwhile."""
        async with self._writing:
            if partial is not None and (self._inbox.overtaken(partial) or partial.segment_id in self._session.known):
                return
            try:
                async with asyncio.timeout(self._limits.client_timeout_s):
                    await self._write(message)
            except TimeoutError as error:
                raise ExhaustedError(
                    "CLIENT_TOO_SLOW",
                    f"an answer waited {self._limits.client_timeout_s:g} s to be read; read answers while sending",
                ) from error

    async def _accept(self) -> None:
        config, session = self._config, self._session
        await self._send(Accepted(config.call_id, config.resume, session.last_segment_id, session.state.view()))
        if config.resume:
            for answer in session.answers_after(config.resume_after):
                await self._send(answer)

    async def _read(self, requests: AsyncIterator[ClientMessage]) -> None:
        async for message in requests:
            self._inbox.touch()
            if isinstance(message, CallConfig):
                raise InvalidRequestError("CONFIG_REPEATED", "the config was sent before; send segments only")
            if message.is_final:
                self._came.append(time.perf_counter())
                await self._inbox.put_final(message)
            elif not self._config.skip_partials:
                self._inbox.put_partial(message)
        self._inbox.close()

    async def _watch(self, draining: asyncio.Event) -> None:
        """Ends the stream's input when the server drains; ends the stream when the client falls silent."""
        while not draining.is_set():
            quiet = time.monotonic() - self._inbox.received_at
            left = self._limits.idle_timeout_s - quiet
            if left <= 0 and self._inbox.idle and not self._inbox.closed:
                raise DeadlineError("STREAM_IDLE", f"nothing was received for {quiet:.0f} s; resume to go on")
            try:
                async with asyncio.timeout(left if left > 0 else self._limits.idle_timeout_s):
                    await draining.wait()
            except TimeoutError:
                continue
        self._inbox.end()

    async def _answer_finals(self) -> None:
        await self._accept()
        while (segment := await self._inbox.next_final()) is not None:
            await self._send(await self._final(segment, self._came.popleft()))
        if self._inbox.closed:
            await self._send(summarise(self._config.call_id, self._session.state))
            return
        delay_ms = self._limits.reconnect_delay_ms
        await self._send(Reconnect(self._session.last_segment_id, delay_ms))
        raise UnavailableError(
            "SERVER_DRAINING", "this server is going away; reconnect with resume", retry_after=delay_ms / 1000
        )

    async def _final(self, segment: Segment, came: float) -> SegmentAnswer | Rejected:
        """The answer to a final segment, once the call's new state is kept."""
        try:
            check_segment(segment)
            if segment.segment_id in self._session.known:
                return await self._known(segment)
            if len(self._session.known) >= self._limits.max_segments:
                raise InvalidRequestError(
                    "TOO_MANY_SEGMENTS", f"a call has at most {self._limits.max_segments:,} final segments"
                )
            analysis = await self._analyse(segment)
        except BankaiError as error:
            _FINALS.failed(error)
            return Rejected(segment.segment_id, error.reason, error.message)
        answer = self._session.apply(segment, analysis, max_intents=self._config.max_intents, keep=self._keep_answers)
        await self._store.save(self._session, self._owner, [answer])
        if not segment.by_agent:  # nothing is asked of the model, which would flatter it
            _FINALS.done(came)
        return answer

    async def _known(self, segment: Segment) -> SegmentAnswer:
        """The answer to a segment whose final was applied before; changes nothing."""
        if self._session.known[segment.segment_id] != fingerprint(segment):
            raise ConflictError(
                "SEGMENT_FINAL", "the segment was final before, with other text or speaker; it stays so"
            )
        kept = self._session.kept_answer(segment.segment_id)
        if kept is not None:
            return kept
        return self._session.answer(segment, await self._analyse(segment), max_intents=self._config.max_intents)

    async def _analyse(self, segment: Segment) -> Analysis | None:
        """Analyses a final within its budget; what may pass by itself is tried again."""
        if segment.by_agent:
            return None
        ends_at = time.monotonic() + self._limits.final_budget_s
        pause = _FIRST_PAUSE_S
        while True:
            left = ends_at - time.monotonic()
            try:
                return await self._classifier.full(segment.text, self._session.state.carry, timeout=left)
            except (UnavailableError, ExhaustedError) as error:
                wait = max(error.retry_after or 0.0, pause * random.uniform(0.5, 1.0))  # noqa: S311  # jitter
                if time.monotonic() + wait >= ends_at:
                    raise
            await asyncio.sleep(wait)
            pause *= 2

    async def _answer_partials(self) -> NoReturn:
        while True:
            segment = await self._inbox.next_partial()
            answer = await self._partial(segment)
            if isinstance(answer, Rejected):
                await self._send(answer)
            elif answer is not None:
                await self._send(answer, partial=segment)

    async def _partial(self, segment: Segment) -> SegmentAnswer | Rejected | None:
        try:
            check_segment(segment)
            if segment.segment_id in self._session.known:
                raise ConflictError("SEGMENT_FINAL", "the segment was final before; it stays as it was")
        except BankaiError as error:
            return Rejected(segment.segment_id, error.reason, error.message)
        analysis = None
        if not segment.by_agent:
            try:
                analysis = await self._classifier.partial(segment.text, timeout=self._limits.partial_timeout_s)
            except BankaiError:
                return None  # more text or the final is about to come
        return self._session.answer(segment, analysis, max_intents=self._config.max_intents)


async def _leave(must_end: asyncio.Event, call_id: str) -> NoReturn:
    await must_end.wait()
    raise busy(call_id)
