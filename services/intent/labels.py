"""The label set that a model was trained on, as its version folder carries it in labels.json."""

from collections.abc import Mapping
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bankai.errors import FaultError

OUT_OF_SCOPE = "out_of_scope"
CHITCHAT = "chitchat"
HUMAN_AGENT = "human_agent"
FRAUD_REPORT = "fraud_report"
SERVICE_COMPLAINT = "service_complaint"

NEUTRAL = "neutral"
SATISFIED = "satisfied"
CONFUSED = "confused"
ANXIOUS = "anxious"
DISAPPOINTED = "disappointed"
ANGRY = "angry"
EMOTIONS = frozenset({NEUTRAL, SATISFIED, CONFUSED, ANXIOUS, DISAPPOINTED, ANGRY})
"""What the rules about a call's course understand; a model may know fewer, not others."""


class _Label(BaseModel):
    # Training may note more beside a label than the service reads.
    model_config = ConfigDict(frozen=True, extra="ignore")


class IntentLabel(_Label):
    """One intent.

    Attributes:
        id: Stable name on the wire.
        zh: Name in Chinese.
        en: Name in English.
        covers: What falls under it, in Chinese.
    """

    id: str = Field(min_length=1)
    zh: str = ""
    en: str = ""
    covers: str = ""


class EmotionLabel(_Label):
    """One emotion.

    Attributes:
        id: Stable name on the wire.
        zh: Name in Chinese.
    """

    id: str = Field(min_length=1)
    zh: str = ""


class Labels(_Label):
    """What the entries of a model's outputs mean, in their order.

    Attributes:
        model: Name of the model that was trained on them.
        intents: Intents in the order of the output `intent_probs`; the last is out_of_scope.
        emotions: Emotions in the order of the output `emotion_probs`.
        holds_at: Probability from which an intent counts as expressed.
    """

    model: str
    intents: tuple[IntentLabel, ...] = Field(min_length=2)
    emotions: tuple[EmotionLabel, ...] = Field(min_length=2)
    holds_at: float = Field(gt=0, lt=1)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        for name, ids in (("intents", self.intent_ids), ("emotions", self.emotion_ids)):
            twice = sorted({label for label in ids if ids.count(label) > 1})
            if twice:
                raise ValueError(f"{name} has {twice[0]!r} more than once")
        if self.intent_ids[-1] != OUT_OF_SCOPE:
            raise ValueError(f"the last of intents must be {OUT_OF_SCOPE!r}, not {self.intent_ids[-1]!r}")
        unknown = [label for label in self.emotion_ids if label not in EMOTIONS]
        if unknown:
            raise ValueError(f"emotions has {unknown[0]!r}, which the service does not know")
        return self

    @property
    def intent_ids(self) -> tuple[str, ...]:
        """Ids of the intents, in the order of the model's output."""
        return tuple(label.id for label in self.intents)

    @property
    def emotion_ids(self) -> tuple[str, ...]:
        """Ids of the emotions, in the order of the model's output."""
        return tuple(label.id for label in self.emotions)

    def check_outputs(self, model: str, shapes: Mapping[str, tuple[int, ...]]) -> None:
        """Makes sure that a model's outputs have one entry per label.

        Args:
            model: Name of the model, for the message.
            shapes: Shape of each output without the batch axis, by name.

        Raises:
            FaultError: MODEL_LABELS_MISMATCH, saying which output has how many entries.
        """
        wanted = {"intent_probs": len(self.intents), "emotion_probs": len(self.emotions), "intensity": 1}
        for output, length in wanted.items():
            if output not in shapes:
                raise FaultError("MODEL_LABELS_MISMATCH", f"model {model!r} has no output {output!r}")
            if shapes[output] != (length,):
                raise FaultError(
                    "MODEL_LABELS_MISMATCH",
                    f"output {output!r} of model {model!r} has shape {list(shapes[output])}, not [{length}]",
                )
