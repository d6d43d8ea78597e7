"""How earlier utterances decide what an utterance itself leaves open ("对 就是那张").

The text's own distribution p is kept where it is sure. What it leaves open is u = 1 - max p, where "chitchat" does not
count as sure if the text points back at something. That share is given to what the caller spoke of before, c:

    p'(i) = p(i) + u · w · c(i) · (1 - p(i))        for every request i
    p'(j) = p(j) · (1 - u · w · max c)              for chitchat and out_of_scope, which it then is not

so a sure text changes by at most 1 - max p, and an open one takes over the earlier request at a lower probability.
"""

from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray

from services.intent.analysis import IntentScore
from services.intent.cues import points_back
from services.intent.labels import CHITCHAT, OUT_OF_SCOPE
from services.intent.thresholds import CONTEXT_DECAY, CONTEXT_WEIGHT

Probabilities = NDArray[np.float64]
Carry = dict[str, float]
"""What earlier utterances asked for: intent id to what is left of its probability."""

_LEAST = 0.05
"""Below this a carried probability changes nothing."""


def fuse(text: str, own: Probabilities, index: Mapping[str, int], carry: Mapping[str, float]) -> Probabilities:
    """Fuses an utterance's own distribution with what was spoken of before.

    Args:
        text: The normalised utterance.
        own: Its own probabilities, one per intent.
        index: Where each intent id stands among them.
        carry: What earlier utterances asked for; ids that the model does not know are passed over.

    Returns:
        Fused probabilities in the same order; the same array where there is nothing to fuse.
    """
    strongest = max(carry.values(), default=0.0)
    if not strongest:
        return own
    fused = own.copy()
    if CHITCHAT in index and points_back(text):
        fused[index[CHITCHAT]] = 0.0
    moved = (1.0 - float(fused.max())) * CONTEXT_WEIGHT
    fused[:] = own
    for intent_id, earlier in carry.items():
        if intent_id in index:
            fused[index[intent_id]] += moved * earlier * (1.0 - own[index[intent_id]])
    for intent_id in (CHITCHAT, OUT_OF_SCOPE):
        if intent_id in index and intent_id not in carry:
            fused[index[intent_id]] *= 1.0 - moved * strongest
    return fused


def carry_on(carry: Mapping[str, float], intents: Iterable[IntentScore]) -> Carry:
    """What the next utterance may fall back on.

    Args:
        carry: What this utterance could fall back on.
        intents: What this utterance says, carried intents included.
    """
    merged = {intent_id: value * CONTEXT_DECAY for intent_id, value in carry.items()}
    for intent_id, probability, _ in intents:
        if probability >= _LEAST and intent_id != CHITCHAT:
            merged[intent_id] = max(probability, merged.get(intent_id, 0.0))
    return {intent_id: round(value, 3) for intent_id, value in merged.items() if value >= _LEAST}
