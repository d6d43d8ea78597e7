"""The messages of a call's stream, as the domain speaks of them."""

from dataclasses import dataclass, field

from services.intent.analysis import Analysis
from services.intent.call import CallView
from services.intent.segment import Segment, Speaker
from services.intent.summary import Summary


@dataclass(frozen=True, slots=True)
class CallConfig:
    """What call a stream carries.

    Attributes:
        call_id: The platform's own id of the call.
        channel: Where the call comes from, in the platform's words.
        language: "zh", "en", or empty for either.
        skip_partials: Whether the client wants no answers to partial segments.
        max_intents: How many intents to return at most with each segment.
        resume: Whether a broken stream is to be taken up.
        resume_after: Id of the last final segment whose answer the client received; empty when there was none.
    """

    call_id: str
    channel: str = ""
    language: str = ""
    skip_partials: bool = False
    max_intents: int = 5
    resume: bool = False
    resume_after: str = ""


@dataclass(frozen=True, slots=True)
class Accepted:
    """The call was accepted or taken up again."""

    call_id: str
    resumed: bool
    last_segment_id: str
    call: CallView


@dataclass(frozen=True, slots=True)
class SegmentAnswer:
    """The answer to a segment; `analysis` is None for the agent's."""

    segment_id: str
    speaker: Speaker
    is_final: bool
    analysis: Analysis | None
    call: CallView


@dataclass(frozen=True, slots=True)
class Rejected:
    """A segment that could not be used."""

    segment_id: str
    reason: str
    message: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reconnect:
    """This server is going away."""

    last_segment_id: str
    retry_delay_ms: int


ClientMessage = CallConfig | Segment
ServerMessage = Accepted | SegmentAnswer | Rejected | Summary | Reconnect
