"""Metrics over labelled utterances: `bankai eval intent`."""

from collections.abc import Sequence
from dataclasses import dataclass

from bankai.evaluation import metrics
from services.intent.evaluation.gold import Utterance
from services.intent.labels import OUT_OF_SCOPE

MAX_FPR = 0.05


@dataclass(frozen=True)
class Verdict:
    """What the service said of one utterance.

    Attributes:
        top_intent: Id of its best intent.
        top_probability: Its probability.
        holding: Ids of all intents that hold.
        out_of_scope_probability: As the service gives it.
        emotion: Id of the likeliest emotion.
        seconds: How long the answer took.
    """

    top_intent: str
    top_probability: float
    holding: tuple[str, ...]
    out_of_scope_probability: float
    emotion: str
    seconds: float


def judge(gold: Sequence[Utterance], verdicts: Sequence[Verdict]) -> dict[str, float | None]:
    """The metrics of `bankai eval intent`; intents and emotion each over the utterances that are labelled with them."""
    pairs = list(zip(gold, verdicts, strict=True))
    asked = [(utterance, verdict) for utterance, verdict in pairs if utterance.intents]
    felt = [(utterance.emotion, verdict.emotion) for utterance, verdict in pairs if utterance.emotion is not None]
    wanted, found = [utterance.intents for utterance, _ in asked], [verdict.holding for _, verdict in asked]
    right = [verdict.top_intent in utterance.intents for utterance, verdict in asked]
    outside = [OUT_OF_SCOPE in intents for intents in wanted]
    outside_scores = [verdict.out_of_scope_probability for _, verdict in asked]
    milliseconds = [verdict.seconds * 1000 for verdict in verdicts]
    return {
        "n": len(gold),
        "intent_top1": metrics.share(right),
        "intent_micro_f1": metrics.micro_f1(wanted, found),
        "intent_macro_f1": metrics.macro_f1(wanted, found),
        "oos_auroc": metrics.auroc(outside, outside_scores),
        "oos_recall_at_5pct_fpr": metrics.recall_at_fpr(outside, outside_scores, MAX_FPR),
        "ece": metrics.expected_calibration_error([verdict.top_probability for _, verdict in asked], right),
        "emotion_acc": metrics.share(theirs == ours for theirs, ours in felt),
        "emotion_macro_f1": metrics.macro_f1([{theirs} for theirs, _ in felt], [{ours} for _, ours in felt]),
        "p50_ms": metrics.percentile(milliseconds, 50),
        "p95_ms": metrics.percentile(milliseconds, 95),
    }
