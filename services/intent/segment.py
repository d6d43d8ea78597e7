"""A piece of a call's transcript."""

from dataclasses import dataclass
from enum import IntEnum


class Speaker(IntEnum):
    """Who speaks; the numbers are those of the API."""

    UNSPECIFIED = 0
    CALLER = 1
    AGENT = 2


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of transcript.

    Attributes:
        segment_id: Id that is unique within the call.
        speaker: Who speaks; unspecified counts as the caller.
        text: What was heard.
        is_final: Whether the text will not change any more.
        start_ms: Start of the speech, milliseconds since the call began.
        end_ms: End of the speech, milliseconds since the call began.
    """

    segment_id: str
    speaker: Speaker
    text: str
    is_final: bool
    start_ms: int = 0
    end_ms: int = 0

    @property
    def by_agent(self) -> bool:
        """Whether the bank's side speaks."""
        return self.speaker is Speaker.AGENT
