"""What labelled utterances and calls look like in a file, and how they are read."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bankai.evaluation.inputs import label_field, labels_field, read_jsonl, text_field
from services.intent.text import normalise
from services.intent.validation import MAX_TEXT

CALLER = "caller"
AGENT = "agent"


@dataclass(frozen=True)
class LabelSet:
    """The ids that a model can answer.

    Attributes:
        intents: Ids of the intents.
        emotions: Ids of the emotions.
    """

    intents: Collection[str]
    emotions: Collection[str]


@dataclass(frozen=True)
class Utterance:
    """A labelled utterance.

    Attributes:
        text: What was said.
        intents: Ids of all intents that hold; empty where they are not labelled.
        emotion: Id of the emotion; None where it is not labelled.
    """

    text: str
    intents: tuple[str, ...]
    emotion: str | None


@dataclass(frozen=True)
class Turn:
    """A turn of a labelled call.

    Attributes:
        speaker: CALLER or AGENT.
        text: What was said.
        emotion: Id of the caller's emotion; None where it is not labelled.
    """

    speaker: str
    text: str
    emotion: str | None


@dataclass(frozen=True)
class Call:
    """A labelled call.

    Attributes:
        turns: What was said, in order.
        intent: Id of the intent that the call is about; None where it is not labelled.
        should_escalate: Whether a person ought to have taken over or looked at any time.
    """

    turns: tuple[Turn, ...]
    intent: str | None
    should_escalate: bool


def read_utterances(file: Path, labels: LabelSet) -> list[Utterance]:
    """Reads lines of {"text", "intents": [ids], "emotion": id|null}; other keys are passed over.

    Raises:
        BadInputError: The first line that is wrong.
    """

    def parse(row: dict[str, Any]) -> Utterance:
        return Utterance(
            text=_text(row),
            intents=labels_field(row, "intents", labels.intents),
            emotion=label_field(row, "emotion", labels.emotions),
        )

    return read_jsonl(file, parse)


def read_calls(file: Path, labels: LabelSet) -> list[Call]:
    """Reads lines of {"turns": [{"speaker", "text", "intents", "emotion"}], "call_intent", "should_escalate"}.

    Other keys are passed over.

    Raises:
        BadInputError: The first line that is wrong, with the number of the turn.
    """

    def parse(row: dict[str, Any]) -> Call:
        turns = row.get("turns")
        if not isinstance(turns, list) or not turns:
            raise ValueError("'turns' must be a list of at least one turn")
        should_escalate = row.get("should_escalate")
        if not isinstance(should_escalate, bool):
            raise ValueError("'should_escalate' must be true or false")  # noqa: TRY004  # of a file, not of a call
        return Call(
            turns=tuple(_turn(number, turn, labels) for number, turn in enumerate(turns, start=1)),
            intent=label_field(row, "call_intent", labels.intents),
            should_escalate=should_escalate,
        )

    return read_jsonl(file, parse)


def _text(row: dict[str, Any]) -> str:
    text = text_field(row, "text", max_chars=MAX_TEXT)
    if not normalise(text):
        raise ValueError("'text' holds nothing that can be read")
    return text


def _turn(number: int, turn: Any, labels: LabelSet) -> Turn:
    try:
        if not isinstance(turn, dict):
            raise ValueError("must be an object")  # noqa: TRY004, TRY301  # of a file; gets the turn's number below
        speaker = turn.get("speaker")
        if speaker not in (CALLER, AGENT):
            raise ValueError(f"'speaker' must be {CALLER!r} or {AGENT!r}")  # noqa: TRY301  # gets the turn's number below
        if turn.get("intents") is not None:
            labels_field(turn, "intents", labels.intents)
        return Turn(speaker, _text(turn), label_field(turn, "emotion", labels.emotions))
    except ValueError as error:
        raise ValueError(f"turn {number}: {error}") from None
