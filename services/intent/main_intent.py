"""What a call is about so far."""

from dataclasses import dataclass, field

from services.intent.analysis import Analysis
from services.intent.labels import CHITCHAT, HUMAN_AGENT, OUT_OF_SCOPE
from services.intent.thresholds import CARRIED_EVIDENCE, EVIDENCE_DECAY, MAIN_INTENT_MARGIN, REAL_EVIDENCE

_SECONDARY = frozenset({HUMAN_AGENT, OUT_OF_SCOPE})
"""What a call is only about while nothing that a bank does was asked for. Chitchat is never what a call is about."""


@dataclass(slots=True)
class MainIntent:
    """Accumulates evidence for each intent and names the one that the call is about, without flapping.

    Attributes:
        intent_id: The main intent; empty while unknown.
        evidence: Sum of the decayed probabilities with which each intent held.
        mass: What the evidence could be at most: 1 for every request, more where it holds several intents.
    """

    intent_id: str = ""
    evidence: dict[str, float] = field(default_factory=dict)
    mass: float = 0.0

    def apply(self, analysis: Analysis) -> None:
        """Takes in what the caller's next final utterance says."""
        requests = [score for score in analysis.requests if score.intent_id != CHITCHAT]
        if not requests:
            return
        weight = CARRIED_EVIDENCE if analysis.carried else 1.0
        self.evidence = {intent_id: value * EVIDENCE_DECAY for intent_id, value in self.evidence.items()}
        for score in requests:
            self.evidence[score.intent_id] = self.evidence.get(score.intent_id, 0.0) + weight * score.probability
        self.mass = self.mass * EVIDENCE_DECAY + weight * max(1.0, sum(score.probability for score in requests))
        self._choose()

    def _choose(self) -> None:
        business = {intent_id: value for intent_id, value in self.evidence.items() if intent_id not in _SECONDARY}
        candidates = business if max(business.values(), default=0.0) >= REAL_EVIDENCE else self.evidence
        leader = max(candidates, key=candidates.__getitem__)
        lead = candidates[leader] - candidates.get(self.intent_id, 0.0)
        if self.intent_id not in candidates or lead >= MAIN_INTENT_MARGIN:
            self.intent_id = leader

    @property
    def probability(self) -> float:
        """Probability that the call is about it, in [0, 1]: its share of the evidence there could be."""
        return min(1.0, self.evidence[self.intent_id] / self.mass) if self.intent_id else 0.0
