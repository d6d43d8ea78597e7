"""A client of one call's stream, for tests."""

from typing import Any, Self

import grpc

from bankai.intent.v1 import intent_pb2 as pb


class CallDriver:
    """Opens a call's stream; an async context manager that leaves without half-closing."""

    def __init__(self, stub: Any, call_id: str, *, resume: str | None = None, **options: Any) -> None:
        point = None if resume is None else pb.ResumePoint(last_segment_id=resume)
        self._stub = stub
        self._config = pb.CallConfig(call_id=call_id, resume=point, options=pb.CallOptions(**options))
        self.accepted = pb.CallAccepted()

    async def open(self) -> Self:
        self._call = self._stub.StreamCall(timeout=30)
        await self._call.write(pb.StreamCallRequest(config=self._config))
        self.accepted = (await self.receive()).accepted
        return self

    async def __aenter__(self) -> Self:
        return await self.open()

    async def __aexit__(self, *_: object) -> None:
        self.cancel()

    def cancel(self) -> None:
        self._call.cancel()

    async def send(self, segment: pb.Segment) -> None:
        await self._call.write(pb.StreamCallRequest(segment=segment))

    async def receive(self) -> pb.StreamCallResponse:
        """The next message."""
        message = await self._call.read()
        if message is grpc.aio.EOF:
            await self._call
            raise AssertionError("the stream ended without another message")
        assert isinstance(message, pb.StreamCallResponse)
        return message

    async def ask(self, segment: pb.Segment) -> pb.SegmentAnalysis:
        """Sends a segment and reads its answer."""
        await self.send(segment)
        message = await self.receive()
        assert message.HasField("analysis"), message
        assert message.analysis.segment_id == segment.segment_id
        return message.analysis

    async def finish(self) -> pb.CallSummary:
        """Half-closes and reads the summary; nothing may come after it."""
        await self._call.done_writing()
        while not (message := await self.receive()).HasField("summary"):
            pass
        assert await self._call.read() is grpc.aio.EOF
        assert await self._call.code() is grpc.StatusCode.OK
        return message.summary


def final(segment_id: str, text: str, speaker: pb.Speaker.ValueType = pb.SPEAKER_CALLER, **times: int) -> pb.Segment:
    """A final segment, the caller's if nothing else is said."""
    return pb.Segment(segment_id=segment_id, text=text, speaker=speaker, is_final=True, **times)


def partial(segment_id: str, text: str, speaker: pb.Speaker.ValueType = pb.SPEAKER_CALLER) -> pb.Segment:
    """A partial segment."""
    return pb.Segment(segment_id=segment_id, text=text, speaker=speaker)
