"""Metrics over labelled calls: `bankai eval calls`."""

from collections.abc import Sequence
from dataclasses import dataclass

from bankai.evaluation import metrics
from services.intent.evaluation.gold import CALLER, Call


@dataclass(frozen=True)
class CallVerdict:
    """What the service said of one call.

    Attributes:
        main_intent: Main intent of the summary; empty where it found none.
        emotions: Id of the emotion of every caller's turn, in order.
        escalated: Whether escalation was advised at any time.
        seconds: How long the answer to every caller's turn took.
    """

    main_intent: str
    emotions: tuple[str, ...]
    escalated: bool
    seconds: tuple[float, ...]


def judge(gold: Sequence[Call], verdicts: Sequence[CallVerdict]) -> dict[str, float | None]:
    """The metrics of `bankai eval calls`. Times are of the caller's turns: an agent's turn is no work for a model."""
    pairs = list(zip(gold, verdicts, strict=True))
    felt = [
        (turn.emotion, emotion)
        for call, verdict in pairs
        for turn, emotion in zip((turn for turn in call.turns if turn.speaker == CALLER), verdict.emotions, strict=True)
        if turn.emotion is not None
    ]
    precision, recall = metrics.precision_recall(
        [call.should_escalate for call in gold], [verdict.escalated for verdict in verdicts]
    )
    milliseconds = [seconds * 1000 for verdict in verdicts for seconds in verdict.seconds]
    return {
        "n": len(gold),
        "call_intent_acc": metrics.share(
            call.intent == verdict.main_intent for call, verdict in pairs if call.intent is not None
        ),
        "turn_emotion_macro_f1": metrics.macro_f1([{theirs} for theirs, _ in felt], [{ours} for _, ours in felt]),
        "escalation_precision": precision,
        "escalation_recall": recall,
        "p50_ms": metrics.percentile(milliseconds, 50),
        "p99_ms": metrics.percentile(milliseconds, 99),
    }
