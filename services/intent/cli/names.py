"""What people read instead of ids and enum values."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from bankai.intent.v1 import intent_pb2 as pb

REASONS: dict[int, str] = {
    pb.ESCALATION_REASON_UNSPECIFIED: "a person should look",
    pb.ESCALATION_REASON_ANGRY_AND_RISING: "angry and rising",
    pb.ESCALATION_REASON_REPEATED_REQUEST: "asks for the same thing again and again",
    pb.ESCALATION_REASON_ASKS_FOR_HUMAN: "asks for a human",
    pb.ESCALATION_REASON_SUSPECTED_FRAUD: "suspected fraud in progress",
}
TRENDS: dict[int, str] = {
    pb.EMOTION_TREND_UNSPECIFIED: "-",
    pb.EMOTION_TREND_STABLE: "stable",
    pb.EMOTION_TREND_WORSENING: "getting worse",
    pb.EMOTION_TREND_IMPROVING: "getting better",
}
EMOTION_STYLES = {
    "neutral": "dim",
    "satisfied": "green",
    "confused": "cyan",
    "anxious": "yellow",
    "disappointed": "magenta",
    "angry": "red",
}


@dataclass(frozen=True)
class Names:
    """Names of a label set by id; an id without a name stands for itself."""

    intents: Mapping[str, str]
    emotions: Mapping[str, str]

    @classmethod
    def of(cls, listed: pb.ListIntentsResponse, *, chinese: bool = True) -> Self:
        """The names that a service lists, in Chinese or in English; the ids of emotions are English words."""
        if chinese:
            return cls(
                {intent.intent_id: intent.name_zh for intent in listed.intents},
                {emotion.emotion_id: emotion.name_zh for emotion in listed.emotions},
            )
        return cls({intent.intent_id: intent.name_en for intent in listed.intents}, {})

    def intent(self, intent_id: str) -> str:
        """Name of an intent; "-" for none."""
        return self.intents.get(intent_id) or intent_id or "-"

    def emotion(self, emotion_id: str) -> str:
        """Name of an emotion."""
        return self.emotions.get(emotion_id) or emotion_id


def reason(value: int) -> str:
    """Why escalation is advised."""
    return REASONS.get(value, REASONS[0])


def reasons(advice: pb.EscalationAdvice) -> str:
    """Every reason of an advice, the most urgent first."""
    return ", ".join(map(reason, advice.reasons)) or reason(0)
