"""The state of one call: what its final segments, applied in order, say of it."""

from dataclasses import dataclass, field

from services.intent.analysis import Analysis
from services.intent.context import Carry, carry_on
from services.intent.escalation import Escalation, Reason
from services.intent.main_intent import MainIntent
from services.intent.mentions import Mentions
from services.intent.mood import Mood, Trend
from services.intent.segment import Segment
from services.intent.text import normalise


@dataclass(frozen=True, slots=True)
class CallView:
    """What a client is told of a call after a segment.

    Attributes:
        main_intent_id: The intent that the call is about so far; empty while unknown.
        main_intent_probability: Probability that it is, in [0, 1].
        trend: How the caller's emotion develops.
        advised: Whether escalation is advised.
        reasons: Every reason that holds, the most urgent first.
        escalation_segment_id: Segment that first gave a reason; empty where none holds.
    """

    main_intent_id: str
    main_intent_probability: float
    trend: Trend
    advised: bool
    reasons: tuple[Reason, ...]
    escalation_segment_id: str


@dataclass(frozen=True, slots=True)
class EmotionPoint:
    """The caller's emotion at one segment; `at_ms` is the segment's end."""

    segment_id: str
    at_ms: int
    emotion_id: str
    intensity: float


@dataclass(frozen=True, slots=True)
class EscalationPoint:
    """A moment at which escalation was advised; `at_ms` is the segment's end."""

    segment_id: str
    at_ms: int
    reason: Reason


@dataclass(slots=True)
class Talk:
    """How much one side spoke.

    Attributes:
        ms: Speaking time of the segments that carry times.
        characters: Characters of all segments.
    """

    ms: int = 0
    characters: int = 0


@dataclass(slots=True)
class CallState:
    """What is known of a call.

    Attributes:
        segments: Final segments so far.
        untimed: How many of them carry no times.
        caller: How much the caller spoke.
        agent: How much the bank's side spoke.
        main: What the call is about.
        mood: How the caller's emotion develops.
        mentions: Which intents came up.
        escalation: Whether escalation is advised.
        course: The caller's emotion at every final segment.
        escalations: Where escalation was advised.
        carry: What the caller's next utterance may fall back on.
        version: Version of the model that analysed the latest utterance; empty before the first.
    """

    segments: int = 0
    untimed: int = 0
    caller: Talk = field(default_factory=Talk)
    agent: Talk = field(default_factory=Talk)
    main: MainIntent = field(default_factory=MainIntent)
    mood: Mood = field(default_factory=Mood)
    mentions: Mentions = field(default_factory=Mentions)
    escalation: Escalation = field(default_factory=Escalation)
    course: list[EmotionPoint] = field(default_factory=list)
    escalations: list[EscalationPoint] = field(default_factory=list)
    carry: Carry = field(default_factory=dict)
    version: str = ""

    def apply(self, segment: Segment, analysis: Analysis | None) -> None:
        """Takes in the next final segment.

        Args:
            segment: The segment.
            analysis: What it says; None for the agent's.
        """
        text = normalise(segment.text)
        self.segments += 1
        side = self.agent if segment.by_agent else self.caller
        side.characters += len(text)
        if 0 <= segment.start_ms < segment.end_ms:
            side.ms += segment.end_ms - segment.start_ms
        else:
            self.untimed += 1
        if analysis is None:
            return
        self.main.apply(analysis)
        self.mood.apply(analysis.emotion)
        self.mentions.apply(segment.segment_id, analysis)
        reasons = self.escalation.apply(segment.segment_id, text, analysis, self.mentions)
        emotion = analysis.emotion
        self.course.append(EmotionPoint(segment.segment_id, segment.end_ms, emotion.emotion_id, emotion.intensity))
        self.escalations += [EscalationPoint(segment.segment_id, segment.end_ms, reason) for reason in reasons]
        self.carry = carry_on(self.carry, analysis.intents)
        self.version = analysis.version

    def view(self) -> CallView:
        """What a client is told of the call now."""
        return CallView(
            main_intent_id=self.main.intent_id,
            main_intent_probability=self.main.probability,
            trend=self.mood.trend,
            advised=self.escalation.advised,
            reasons=tuple(self.escalation.reasons),
            escalation_segment_id=self.escalation.segment_id,
        )
