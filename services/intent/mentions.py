"""Which intents came up in a call, how often, and whether they look settled."""

from dataclasses import dataclass, field
from enum import IntEnum

from services.intent.analysis import Analysis, Emotion
from services.intent.labels import CHITCHAT, NEUTRAL, OUT_OF_SCOPE, SATISFIED
from services.intent.thresholds import RELIEF_INTENSITY


class Settled(IntEnum):
    """How sure it looks that an intent needs nothing more."""

    NO = 0
    CALM = 1
    """The caller went on calmly."""
    RELIEVED = 2
    """The caller sounded satisfied."""


@dataclass(slots=True)
class Mention:
    """One intent of a call.

    Attributes:
        first_segment_id: Segment where it first held.
        probability: Highest probability with which it held.
        count: Final segments in which it held.
        runs: How often the caller came to it, other requests in between.
        settled: How sure it looks that it needs nothing more.
    """

    first_segment_id: str
    probability: float = 0.0
    count: int = 0
    runs: int = 0
    settled: Settled = Settled.NO

    @property
    def is_open(self) -> bool:
        """Whether the caller came back to it, or left it, without a sign that it was settled."""
        return self.settled is Settled.NO or (self.runs > 1 and self.settled is not Settled.RELIEVED)


@dataclass(slots=True)
class Mentions:
    """The intents of a call, in the order in which they first came up.

    Attributes:
        by_intent: What is known of each.
        latest: The intents of the latest utterance that asked for something.
    """

    by_intent: dict[str, Mention] = field(default_factory=dict)
    latest: list[str] = field(default_factory=list)

    def apply(self, segment_id: str, analysis: Analysis) -> None:
        """Takes in what the caller's next final utterance says."""
        for score in analysis.held:
            mention = self.by_intent.setdefault(score.intent_id, Mention(segment_id))
            mention.probability = max(mention.probability, score.probability)
            mention.count += 1
            mention.runs += score.intent_id not in self.latest
        requests = [score.intent_id for score in analysis.requests]
        self._settle(analysis.emotion, set(requests))
        # Small talk between two sentences about one matter does not make them two requests.
        self.latest = requests or self.latest

    def _settle(self, emotion: Emotion, asked: set[str]) -> None:
        relieved = emotion.emotion_id == SATISFIED and emotion.intensity >= RELIEF_INTENSITY
        calm = emotion.emotion_id in (NEUTRAL, SATISFIED)
        for intent_id, mention in self.by_intent.items():
            if relieved:
                mention.settled = Settled.RELIEVED
            elif intent_id in asked:
                mention.settled = Settled.NO
            elif mention.settled is not Settled.RELIEVED:
                mention.settled = Settled.CALM if calm else Settled.NO

    def open_ids(self) -> list[str]:
        """Intents without a sign that they were settled, in the order in which they first came up."""
        return [
            intent_id
            for intent_id, mention in self.by_intent.items()
            if mention.is_open and intent_id not in (CHITCHAT, OUT_OF_SCOPE)
        ]
