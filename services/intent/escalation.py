"""When a person should take over or look, and why."""

from dataclasses import dataclass, field
from enum import IntEnum

from services.intent.analysis import Analysis, Emotion, IntentScore
from services.intent.cues import hints_at_fraud, says_again
from services.intent.labels import (
    ANGRY,
    ANXIOUS,
    CHITCHAT,
    DISAPPOINTED,
    FRAUD_REPORT,
    HUMAN_AGENT,
    NEUTRAL,
    OUT_OF_SCOPE,
    SATISFIED,
    SERVICE_COMPLAINT,
)
from services.intent.mentions import Mentions
from services.intent.text import units
from services.intent.thresholds import (
    ANGER_HIGH_COUNT,
    ANGER_RISE,
    ANGER_WINDOW,
    ANGRY_INTENSITY,
    ANNOYED_INTENSITY,
    CALM_AFTER,
    CALM_AFTER_RELIEF,
    DISTRESS_INTENSITY,
    FRAUD_CUES,
    FRAUD_SURE,
    FRAUD_WITH_CUE,
    HUMAN_SURE,
    RELIEF_INTENSITY,
    REPEATED_RUNS,
    REPEATED_RUNS_ANNOYED,
    TERSE_UNITS,
)


class Reason(IntEnum):
    """Why escalation is advised; the numbers are those of the API."""

    ANGRY_AND_RISING = 1
    REPEATED_REQUEST = 2
    ASKS_FOR_HUMAN = 3
    SUSPECTED_FRAUD = 4


_URGENCY = (Reason.SUSPECTED_FRAUD, Reason.ANGRY_AND_RISING, Reason.ASKS_FOR_HUMAN, Reason.REPEATED_REQUEST)
"""Most urgent first: money that is leaving now, then a caller about to be lost, then what can wait a minute."""

_NO_MATTER = frozenset({HUMAN_AGENT, SERVICE_COMPLAINT, CHITCHAT, OUT_OF_SCOPE})
"""Intents beside which asking for a person is still all that is asked for."""
_NO_FRAUD = IntentScore(FRAUD_REPORT, 0.0, holds=False)


@dataclass(slots=True)
class Anger:
    """How angry the caller was, utterance by utterance.

    Attributes:
        recent: Intensity of the latest utterances where angry, else 0; at most `ANGER_WINDOW`.
        earlier: Sum over the utterances before the last two.
        utterances: How many utterances there were.
    """

    recent: list[float] = field(default_factory=list)
    earlier: float = 0.0
    utterances: int = 0

    def apply(self, emotion: Emotion) -> None:
        """Takes in the emotion of the caller's next final utterance."""
        if len(self.recent) >= 2:
            self.earlier += self.recent[-2]
        counts = emotion.emotion_id == ANGRY and emotion.intensity >= ANGRY_INTENSITY
        self.recent = [*self.recent, emotion.intensity if counts else 0.0][-ANGER_WINDOW:]
        self.utterances += 1

    @property
    def rising(self) -> bool:
        """Whether the last two utterances are angry, and clearly more so than those before."""
        if self.utterances < 3 or not all(self.recent[-2:]):
            return False
        return sum(self.recent[-2:]) / 2 >= self.earlier / (self.utterances - 2) + ANGER_RISE

    @property
    def staying_high(self) -> bool:
        """Whether the latest utterance and most of those just before are angry."""
        return self.recent[-1:] != [0.0] and sum(map(bool, self.recent)) >= ANGER_HIGH_COUNT


@dataclass(slots=True)
class Escalation:
    """Whether escalation is advised, and since when.

    Attributes:
        since: Reasons that hold, each with the segment that first gave it.
        anger: The caller's anger so far.
        calm: Utterances in a row without a bad emotion.
        relief: Whether one of those sounds satisfied.
        fraud_cues: Utterances in which the caller named something typical of phone fraud.
        asked_for_human: Utterances in which the caller asked for a person.
    """

    since: dict[Reason, str] = field(default_factory=dict)
    anger: Anger = field(default_factory=Anger)
    calm: int = 0
    relief: bool = False
    fraud_cues: int = 0
    asked_for_human: int = 0

    def apply(self, segment_id: str, text: str, analysis: Analysis, mentions: Mentions) -> list[Reason]:
        """Takes in the caller's next final utterance.

        Args:
            segment_id: Its id.
            text: The normalised text.
            analysis: What it says.
            mentions: The call's intents, this utterance's included.

        Returns:
            The reasons that this utterance newly gives.
        """
        self.anger.apply(analysis.emotion)
        self._calm_down(analysis.emotion)
        found = {
            Reason.SUSPECTED_FRAUD: self._suspected_fraud(text, analysis),
            Reason.ANGRY_AND_RISING: self.anger.rising or self.anger.staying_high,
            Reason.ASKS_FOR_HUMAN: self._asks_for_human(text, analysis, mentions),
            Reason.REPEATED_REQUEST: _repeats(text, analysis, mentions),
        }
        new = [reason for reason in _URGENCY if found[reason] and reason not in self.since]
        self.since |= dict.fromkeys(new, segment_id)
        return new

    @property
    def advised(self) -> bool:
        """Whether a person should take over or look."""
        return bool(self.since)

    @property
    def reasons(self) -> list[Reason]:
        """Every reason that holds, the most urgent first."""
        return [reason for reason in _URGENCY if reason in self.since]

    @property
    def segment_id(self) -> str:
        """Segment that first gave a reason; empty where none holds."""
        return next(iter(self.since.values()), "")

    def _calm_down(self, emotion: Emotion) -> None:
        if emotion.emotion_id not in (NEUTRAL, SATISFIED):
            self.calm, self.relief = 0, False
            return
        self.calm += 1
        self.relief |= emotion.emotion_id == SATISFIED and emotion.intensity >= RELIEF_INTENSITY
        if self.relief and self.calm >= CALM_AFTER_RELIEF:
            self.since.clear()
        elif self.calm >= CALM_AFTER:
            self.since = {reason: at for reason, at in self.since.items() if reason is Reason.SUSPECTED_FRAUD}

    def _suspected_fraud(self, text: str, analysis: Analysis) -> bool:
        self.fraud_cues += hints_at_fraud(text)
        probability = next(score.probability for score in (*analysis.intents, _NO_FRAUD) if score[0] == FRAUD_REPORT)
        distressed = _feels(analysis.emotion, {ANXIOUS, DISAPPOINTED}, DISTRESS_INTENSITY)
        if probability >= FRAUD_WITH_CUE and self.fraud_cues:
            return True
        return distressed and (probability >= FRAUD_SURE or self.fraud_cues >= FRAUD_CUES)

    def _asks_for_human(self, text: str, analysis: Analysis, mentions: Mentions) -> bool:
        """Clearly and for nothing else, or again, or angrily: who asks in passing may still be helped without."""
        asked = {score.intent_id for score in analysis.requests if score.probability >= HUMAN_SURE}
        if analysis.carried or HUMAN_AGENT not in asked:
            return False
        self.asked_for_human += 1
        matters = mentions.by_intent.keys() - _NO_MATTER
        clearly = asked <= _NO_MATTER and (not matters or len(units(text)) <= TERSE_UNITS)
        return clearly or self.asked_for_human > 1 or _feels(analysis.emotion, {ANGRY}, ANGRY_INTENSITY)


def _repeats(text: str, analysis: Analysis, mentions: Mentions) -> bool:
    """Whether the caller asks for something again and again, or says so."""
    asked = [mentions.by_intent[score.intent_id] for score in analysis.requests]
    annoyed = _feels(analysis.emotion, {ANGRY, DISAPPOINTED}, ANNOYED_INTENSITY)
    if says_again(text) and any(mention.count > 1 for mention in mentions.by_intent.values()):
        return True
    return any(mention.runs >= (REPEATED_RUNS_ANNOYED if annoyed else REPEATED_RUNS) for mention in asked)


def _feels(emotion: Emotion, emotions: set[str], intensity: float) -> bool:
    return emotion.emotion_id in emotions and emotion.intensity >= intensity
