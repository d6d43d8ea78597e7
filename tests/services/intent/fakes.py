"""A test double of the inference protocol: deterministic, decides by keywords, fails and waits on demand.

It sees what real models see, tensors. A keyword of at most four units is one n-gram, so its id tells that it was said.
"""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from zlib import crc32

import numpy as np

from bankai.errors import BankaiError, DeadlineError
from bankai.inference.backend import InferenceResult, Tensors
from services.intent.ngrams import BUCKETS
from services.intent.text import units

INTENTS = (
    "card_loss_report",
    "balance_inquiry",
    "transfer_not_received",
    "fraud_report",
    "service_complaint",
    "human_agent",
    "chitchat",
    "out_of_scope",
)
EMOTIONS = ("neutral", "satisfied", "confused", "anxious", "disappointed", "angry")

WORDS = {
    "挂失": "card_loss_report",
    "lost": "card_loss_report",
    "余额": "balance_inquiry",
    "没到账": "transfer_not_received",
    "骗": "fraud_report",
    "投诉": "service_complaint",
    "人工": "human_agent",
    "你好": "chitchat",
    "谢谢": "chitchat",
    "天气": "out_of_scope",
}
FEELINGS = {"气死": "angry", "谢谢": "satisfied", "急": "anxious", "咋回事": "confused", "唉": "disappointed"}

SAID, UNSAID, STRENGTH = 0.9, 0.02, 0.7


def _id(word: str) -> int:
    return 1 + crc32("\x1f".join(units(word)).encode()) % (BUCKETS - 1)


_INTENT_OF = {_id(word): INTENTS.index(intent) for word, intent in WORDS.items()}
_EMOTION_OF = {_id(word): EMOTIONS.index(emotion) for word, emotion in FEELINGS.items()}


@dataclass
class KeywordBackend:
    """Answers every request by the keywords above.

    Attributes:
        failures: Raised one by one by the next requests of the model `intent`.
        gate: Requests wait until it is set.
        asked: Models asked, in order.
        running: Requests that are waiting now.
        most_running: Most that ever were.
    """

    failures: deque[BankaiError] = field(default_factory=deque)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    running: int = 0
    most_running: int = 0
    alive: bool = True
    closed: bool = False

    def __post_init__(self) -> None:
        self.gate.set()

    async def infer(self, model: str, inputs: Tensors, *, timeout: float) -> InferenceResult:  # noqa: ASYNC109  # as the protocol has it
        self.asked.append(model)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            if timeout <= 0:
                raise DeadlineError("DEADLINE_EXCEEDED", "as real backends say")
            await self.gate.wait()
            if model == "intent" and self.failures:
                raise self.failures.popleft()
        finally:
            self.running -= 1
        said = set(inputs["ngram_ids"][0].tolist())
        return InferenceResult(_outputs(said), "7")

    async def ready(self, model: str) -> bool:
        return self.alive

    async def close(self) -> None:
        self.closed = True


def _outputs(said: set[int]) -> dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float32]]]:
    intents = np.full((1, len(INTENTS)), UNSAID, np.float32)
    for gram, index in _INTENT_OF.items():
        if gram in said:
            intents[0, index] = SAID
    if intents.max() < SAID:  # nothing recognised: unsure, rather chitchat
        intents[0, INTENTS.index("chitchat")] = 0.3
    felt = next((index for gram, index in _EMOTION_OF.items() if gram in said), 0)
    emotions = np.full((1, len(EMOTIONS)), 0.02, np.float32)
    emotions[0, felt] = 0.9
    return {
        "intent_probs": intents,
        "emotion_probs": emotions,
        "intensity": np.full((1, 1), STRENGTH if felt else 0.1, np.float32),
    }
