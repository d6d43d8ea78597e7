"""What one utterance says, as the domain speaks of it."""

from dataclasses import dataclass
from typing import NamedTuple

from services.intent.labels import CHITCHAT


class IntentScore(NamedTuple):
    """One intent with its probability. There are many of them in every answer, so it is a plain tuple.

    Attributes:
        intent_id: Id of the intent.
        probability: Calibrated probability that it holds, in [0, 1].
        holds: Whether it counts as expressed.
    """

    intent_id: str
    probability: float
    holds: bool


@dataclass(frozen=True, slots=True)
class Emotion:
    """How the speaker feels.

    Attributes:
        emotion_id: Id of the likeliest emotion.
        probability: Calibrated probability of it, in [0, 1].
        intensity: How strong it is, in [0, 1].
        scores: Probability of every emotion by id; sums to 1.
    """

    emotion_id: str
    probability: float
    intensity: float
    scores: dict[str, float]


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one utterance says about its speaker's wishes and feelings.

    Attributes:
        intents: Every intent, best first; those that hold come before all others.
        out_of_scope_probability: Calibrated probability that nothing a bank's line serves is asked for, in [0, 1].
        emotion: How the speaker feels.
        model: Name of the model that said so.
        version: Its version.
        carried: Whether the best intent comes from earlier utterances rather than from the text itself.
    """

    intents: tuple[IntentScore, ...]
    out_of_scope_probability: float
    emotion: Emotion
    model: str
    version: str
    carried: bool = False

    @property
    def held(self) -> tuple[IntentScore, ...]:
        """The intents that hold, best first; never empty."""
        return tuple(score for score in self.intents if score.holds)

    @property
    def requests(self) -> tuple[IntentScore, ...]:
        """The intents that hold and ask for something: all but chitchat."""
        return tuple(score for score in self.held if score.intent_id != CHITCHAT)

    def best(self, count: int) -> "Analysis":
        """The same with at most so many intents."""
        return Analysis(
            self.intents[:count], self.out_of_scope_probability, self.emotion, self.model, self.version, self.carried
        )
