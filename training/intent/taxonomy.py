"""The label set: the caller intents and emotions of a Chinese retail and small-business bank's phone line."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

LABELS_DIR = Path(__file__).parent / "labels"


@dataclass(frozen=True)
class Taxonomy:
    """The label set in its fixed order.

    Attributes:
        intents: One mapping per intent with id, zh, en and covers; out_of_scope is the last.
        emotions: One mapping per emotion with id and zh.
    """

    intents: tuple[dict[str, str], ...]
    emotions: tuple[dict[str, str], ...]

    @property
    def intent_ids(self) -> list[str]:
        """Ids of the intents, out_of_scope last."""
        return [intent["id"] for intent in self.intents]

    @property
    def emotion_ids(self) -> list[str]:
        """Ids of the emotions."""
        return [emotion["id"] for emotion in self.emotions]


@cache
def taxonomy() -> Taxonomy:
    """The label set of labels/taxonomy.yaml."""
    data = yaml.safe_load((LABELS_DIR / "taxonomy.yaml").read_text(encoding="utf-8"))
    return Taxonomy(tuple(data["intents"]), tuple(data["emotions"]))
