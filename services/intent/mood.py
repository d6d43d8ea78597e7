"""How a caller's emotion develops."""

from dataclasses import dataclass
from enum import IntEnum

from services.intent.analysis import Emotion
from services.intent.thresholds import MOOD_FAST, MOOD_SLOW, TREND_AT, VALENCE


class Trend(IntEnum):
    """How the emotion develops; the numbers are those of the API."""

    UNKNOWN = 0
    STABLE = 1
    WORSENING = 2
    IMPROVING = 3


@dataclass(slots=True)
class Mood:
    """Two smoothings of valence times intensity; their distance is the trend.

    Attributes:
        now: Mood of the latest utterances, in [-1, 1].
        usual: Mood of the call, in [-1, 1].
        utterances: How many utterances made it.
    """

    now: float = 0.0
    usual: float = 0.0
    utterances: int = 0

    def apply(self, emotion: Emotion) -> None:
        """Takes in the emotion of the caller's next final utterance."""
        expected = sum(VALENCE[emotion_id] * probability for emotion_id, probability in emotion.scores.items())
        felt = max(-1.0, min(1.0, expected * emotion.intensity))
        first = not self.utterances
        self.now = felt if first else self.now + MOOD_FAST * (felt - self.now)
        self.usual = felt if first else self.usual + MOOD_SLOW * (felt - self.usual)
        self.utterances += 1

    @property
    def trend(self) -> Trend:
        """How the emotion develops over the latest utterances."""
        if not self.utterances:
            return Trend.UNKNOWN
        distance = self.now - self.usual
        if abs(distance) < TREND_AT:
            return Trend.STABLE
        return Trend.IMPROVING if distance > 0 else Trend.WORSENING
