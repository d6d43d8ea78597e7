"""Analyses made by hand, for rules that are tested without a model."""

from services.intent.analysis import Analysis, Emotion, IntentScore
from services.intent.call import CallState
from services.intent.labels import EMOTIONS
from services.intent.segment import Segment, Speaker


def analysis(
    *intents: str, emotion: str = "neutral", intensity: float | None = None, probability: float = 0.9, **other: bool
) -> Analysis:
    """What an utterance says; chitchat if no intent is named."""
    strength = intensity if intensity is not None else (0.1 if emotion == "neutral" else 0.6)
    return Analysis(
        intents=tuple(IntentScore(intent, probability, holds=True) for intent in intents or ("chitchat",)),
        out_of_scope_probability=0.9 if "out_of_scope" in intents else 0.01,
        emotion=Emotion(emotion, 1.0, strength, {known: float(known == emotion) for known in sorted(EMOTIONS)}),
        model="intent",
        version="7",
        **other,
    )


def call(*utterances: Analysis | tuple[str, Analysis]) -> CallState:
    """A call in which the caller says so, one segment after the other: "0", "1", …"""
    state = CallState()
    for number, utterance in enumerate(utterances):
        text, said = utterance if isinstance(utterance, tuple) else ("卡", utterance)
        state.apply(Segment(str(number), Speaker.CALLER, text, is_final=True), said)
    return state
