"""Streams transcripts through the service and shows what comes back."""

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from uuid import uuid4

import grpc
from rich.console import Console
from rich.text import Text

from bankai.cli.connection import Connection
from bankai.client.calls import CallClient
from bankai.intent.v1 import intent_pb2 as pb
from services.intent.cli.label_list import listed
from services.intent.cli.names import Names
from services.intent.cli.rendering import line_of, summary_of
from services.intent.cli.transcript import Line, Transcript
from services.intent.evaluation.gold import CALLER

_CHINESE = re.compile(r"[\u4e00-\u9fff]")

MS_PER_CHARACTER = 200
"""Pace of speech that transcripts without times are given, about 300 characters a minute."""


class LiveCall:
    """A call that is under way: numbers and times its segments.

    Args:
        client: The call's open stream.
    """

    def __init__(self, client: CallClient) -> None:
        self._client = client
        self._number = 0
        self._now_ms = 0

    async def say(self, line: Line) -> pb.SegmentAnalysis:
        """Sends a turn and waits for what the service says of it.

        Raises:
            BankaiError: The turn was rejected or no answer came.
        """
        self._number += 1
        start, self._now_ms = self._now_ms, self._now_ms + MS_PER_CHARACTER * len(line.text)
        speaker = pb.SPEAKER_CALLER if line.speaker == CALLER else pb.SPEAKER_AGENT
        return await self._client.ask(
            pb.Segment(
                segment_id=str(self._number),
                speaker=speaker,
                text=line.text,
                is_final=True,
                start_ms=start,
                end_ms=self._now_ms,
            )
        )

    async def hang_up(self) -> pb.CallSummary:
        """Ends the call and waits for its summary."""
        return await self._client.finish()


def open_call(channel: grpc.aio.Channel, connection: Connection) -> CallClient:
    """A new call, to be entered."""
    return CallClient(channel, pb.CallConfig(call_id=f"cli-{uuid4()}", channel="cli"), connection.metadata)


async def show(
    connection: Connection, transcripts: Sequence[Transcript], console: Console, *, pause: float = 0.0
) -> None:
    """Streams calls and prints each turn with what was understood, then the summary.

    Args:
        connection: To the gateway.
        transcripts: The calls.
        console: Where to print.
        pause: Seconds between lines.

    Raises:
        BankaiError: The service cannot be reached, or refused something.
    """
    async with connection.channel() as channel:
        labels = await listed(channel, connection)
        for number, transcript in enumerate(transcripts, start=1):
            if len(transcripts) > 1:
                console.rule(f"Call {number} of {len(transcripts)}", align="left")
            names = Names.of(labels, chinese=any(_CHINESE.search(line.text) for line in transcript))
            async with open_call(channel, connection) as client:
                call = LiveCall(client)
                async for text in _turns(call, transcript, names):
                    console.print(text, soft_wrap=True)
                    await asyncio.sleep(pause)
                console.print(summary_of(await call.hang_up(), names))


async def _turns(call: LiveCall, transcript: Transcript, names: Names) -> AsyncIterator[Text]:
    shown: frozenset[int] = frozenset()
    for line in transcript:
        answer = await call.say(line)
        for text in line_of(line, answer, names, shown):
            yield text
        shown |= frozenset(answer.call.escalation.reasons)
