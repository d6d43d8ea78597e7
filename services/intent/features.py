"""What of an utterance and its answer is compared with the model's reference. No content: numbers and classes."""

from services.intent.encoding import PAD_TOKEN, UNKNOWN_TOKEN, Ids

LENGTH, LANGUAGE, UNKNOWN, CONFIDENCE, INTENT, EMOTION = FEATURES = (
    "length",
    "language",
    "unknown",
    "confidence",
    "intent",
    "emotion",
)
"""Characters; language; share of tokens that the model's vocabulary lacks; probability of the likeliest intent, without
the call's context; that intent; the likeliest emotion."""

CHINESE, MIXED, LATIN = "chinese", "mixed", "latin"
"""Languages, told by how many bytes a character takes in UTF-8: three in Chinese, one in English."""

_CHINESE_FROM, _LATIN_UP_TO = 2.0, 1.05


def features(text: str, tokens: Ids, *, confidence: float, intent: str, emotion: str) -> dict[str, float | str]:
    """The features of one utterance and its answer.

    Args:
        text: What was said; not empty.
        tokens: The model's input_ids, one row.
        confidence: Probability of the likeliest intent.
        intent: Its id.
        emotion: Id of the likeliest emotion.
    """
    length = len(text)
    width = len(text.encode()) / length
    row: list[int] = tokens[0].tolist()
    return {
        LENGTH: length,
        LANGUAGE: CHINESE if width >= _CHINESE_FROM else LATIN if width <= _LATIN_UP_TO else MIXED,
        UNKNOWN: row.count(UNKNOWN_TOKEN) / (len(row) - row.count(PAD_TOKEN)),
        CONFIDENCE: confidence,
        INTENT: intent,
        EMOTION: emotion,
    }
