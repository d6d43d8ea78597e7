"""However a call reaches the service (partials, repeats, broken streams, failures), it ends as its finals say."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings

from bankai.errors import UnavailableError
from services.intent.answers import Accepted, CallConfig, ClientMessage, Rejected, SegmentAnswer, ServerMessage
from services.intent.calls import CallService
from services.intent.classifier import UtteranceClassifier
from services.intent.segment import Segment, Speaker
from services.intent.sessions import MemorySessionStore
from services.intent.settings import StreamSettings
from services.intent.stream import CallResources
from services.intent.summary import Summary
from tests.services.intent.fakes import KeywordBackend

TEXTS = ["我要挂失", "余额", "对 就是那张", "气死了 投诉", "转人工", "他骗我 急", "谢谢", "天气", "嗯", "唉 挂失"]

FINALS = st.lists(
    st.builds(
        Segment,
        segment_id=st.just(""),
        speaker=st.sampled_from([Speaker.CALLER, Speaker.CALLER, Speaker.AGENT]),
        text=st.sampled_from(TEXTS),
        is_final=st.just(True),  # noqa: FBT003  # a strategy, no flag
        end_ms=st.integers(0, 10),
    ),
    min_size=1,
    max_size=8,
).map(lambda segments: [replace(segment, segment_id=str(at)) for at, segment in enumerate(segments)])

# What happens before a final is sent.
NOISE = st.lists(
    st.sampled_from(["partial", "other partial", "repeat", "revise", "empty", "fail", "break", "break and take over"]),
    max_size=3,
)


class Client:
    """Carries a call through the domain's streams, over and over."""

    def __init__(self, service: CallService, backend: KeywordBackend) -> None:
        self.service = service
        self.backend = backend
        self.answers: dict[str, SegmentAnswer] = {}
        self.last = ""
        self.resume = False
        self.abandoned: list[asyncio.Task[None]] = []

    async def open(self) -> None:
        self.sent: asyncio.Queue[ClientMessage | None] = asyncio.Queue()
        self.received: asyncio.Queue[ServerMessage] = asyncio.Queue()
        self.task = asyncio.create_task(self.service.run(self._requests(self.sent), self.received.put))
        await self.sent.put(CallConfig("call", resume=self.resume, resume_after=self.last))
        accepted = await self.received.get()
        assert isinstance(accepted, Accepted)
        assert accepted.resumed == self.resume
        assert accepted.last_segment_id == self.last  # every final was answered before the stream broke
        self.resume = True

    @staticmethod
    async def _requests(sent: asyncio.Queue[ClientMessage | None]) -> AsyncIterator[ClientMessage]:
        while (message := await sent.get()) is not None:
            yield message

    async def say(self, segment: Segment) -> SegmentAnswer | Rejected:
        await self.sent.put(segment)
        while True:
            answer = await self.received.get()
            assert isinstance(answer, SegmentAnswer | Rejected)
            if answer.segment_id == segment.segment_id and not (
                isinstance(answer, SegmentAnswer) and answer.is_final is not segment.is_final
            ):
                return answer

    async def final(self, segment: Segment) -> None:
        answer = await self.say(segment)
        assert isinstance(answer, SegmentAnswer)
        self.answers[segment.segment_id] = answer
        self.last = segment.segment_id

    async def disturb(self, kind: str, coming: Segment, known: list[Segment]) -> None:
        match kind:
            case "partial" | "other partial":
                segment_id = coming.segment_id if kind == "partial" else "other"
                await self.sent.put(replace(coming, segment_id=segment_id, text="余额 气死", is_final=False))
            case "repeat" if known:
                assert await self.say(known[-1]) == self.answers[known[-1].segment_id]
            case "revise" if known:
                answer = await self.say(replace(known[0], text="我改主意了"))
                assert isinstance(answer, Rejected)
                assert answer.reason == "SEGMENT_FINAL"
            case "empty":
                assert isinstance(await self.say(replace(coming, text=" ")), Rejected)
            case "fail" if coming.speaker is Speaker.CALLER:
                self.backend.failures.extend([UnavailableError("INFERENCE_UNAVAILABLE", "down", retry_after=9)])
                answer = await self.say(coming)
                assert isinstance(answer, Rejected)
                assert answer.reason == "INFERENCE_UNAVAILABLE"
            case "break":
                await self._leave()
                await self.open()
            case "break and take over":  # the old stream is still there when the new one comes
                self.abandoned.append(self.task)
                await self.open()

    async def finish(self) -> Summary:
        await self.sent.put(None)
        while not isinstance(message := await self.received.get(), Summary):
            pass
        await self.task
        for task in self.abandoned:
            with pytest.raises(Exception, match="another stream"):
                await task
        return message

    async def _leave(self) -> None:
        self.task.cancel()
        await asyncio.wait((self.task,))


def new_client(classifier: UtteranceClassifier, backend: KeywordBackend) -> Client:
    resources = CallResources(classifier, MemorySessionStore(60, 10), StreamSettings(), keep_answers=64)
    return Client(CallService(resources, asyncio.Event()), backend)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(finals=FINALS, data=st.data())
def test_any_interleaving_gives_the_summary_of_the_finals_alone(
    classifier: UtteranceClassifier, backend: KeywordBackend, finals: list[Segment], data: Any
) -> None:
    noise = [data.draw(NOISE) for _ in finals]

    async def plain() -> tuple[Summary, dict[str, SegmentAnswer]]:
        client = new_client(classifier, backend)
        await client.open()
        for segment in finals:
            await client.final(segment)
        return await client.finish(), client.answers

    async def disturbed() -> tuple[Summary, dict[str, SegmentAnswer]]:
        client = new_client(classifier, backend)
        await client.open()
        for at, segment in enumerate(finals):
            for kind in noise[at]:
                await client.disturb(kind, segment, finals[:at])
            await client.final(segment)
        return await client.finish(), client.answers

    async def both() -> None:
        async with asyncio.timeout(30):
            assert await disturbed() == await plain()

    asyncio.run(both())
