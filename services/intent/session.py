"""What is kept of one call between its streams."""

from collections import deque
from dataclasses import dataclass, field
from hashlib import blake2b

from services.intent.analysis import Analysis
from services.intent.answers import SegmentAnswer
from services.intent.call import CallState
from services.intent.segment import Segment


@dataclass(slots=True)
class Session:
    """One call's state, what it was made from, and the latest answers.

    Attributes:
        call_id: The call's id behind its channel's name, as ids are the channels' own.
        started_at: When the call was accepted, in seconds since the epoch; tells calls apart whose id is used again.
        state: What is known of the call.
        known: Fingerprint of every final segment by id, in the order in which they were applied.
        answers: The latest answers to final segments, oldest first.
    """

    call_id: str
    started_at: float = 0.0
    state: CallState = field(default_factory=CallState)
    known: dict[str, str] = field(default_factory=dict)
    answers: deque[SegmentAnswer] = field(default_factory=deque)

    @property
    def last_segment_id(self) -> str:
        """Id of the last final segment; empty where there is none."""
        return next(reversed(self.known), "")

    def apply(self, segment: Segment, analysis: Analysis | None, *, max_intents: int, keep: int) -> SegmentAnswer:
        """Takes in a final segment that is not known yet.

        Args:
            segment: The segment.
            analysis: What it says; None for the agent's.
            max_intents: How many intents the answer has at most.
            keep: How many answers to keep.

        Returns:
            The answer to the segment.
        """
        self.state.apply(segment, analysis)
        self.known[segment.segment_id] = fingerprint(segment)
        answer = self.answer(segment, analysis, max_intents=max_intents)
        self.answers.append(answer)
        while len(self.answers) > keep:
            self.answers.popleft()
        return answer

    def answer(self, segment: Segment, analysis: Analysis | None, *, max_intents: int) -> SegmentAnswer:
        """The answer to a segment as the call stands now; changes nothing."""
        best = analysis.best(max_intents) if analysis else None
        return SegmentAnswer(segment.segment_id, segment.speaker, segment.is_final, best, self.state.view())

    def kept_answer(self, segment_id: str) -> SegmentAnswer | None:
        """The answer to a known final segment, if it is still kept."""
        return next((answer for answer in reversed(self.answers) if answer.segment_id == segment_id), None)

    def answers_after(self, segment_id: str) -> list[SegmentAnswer]:
        """The kept answers to the final segments after a given one; all where that one is not known."""
        ids = list(self.known)
        earlier = set(ids[: ids.index(segment_id) + 1]) if segment_id in self.known else set()
        return [answer for answer in self.answers if answer.segment_id not in earlier]


def fingerprint(segment: Segment) -> str:
    """Tells whether a final segment comes again unchanged, without keeping what was said."""
    said = f"{segment.by_agent:d}{segment.text}".encode(errors="surrogatepass")
    return blake2b(said, digest_size=8).hexdigest()
