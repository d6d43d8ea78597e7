"""Wording with its slots filled, or left blank as forms are, and where the values stand."""

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random

from training.doc_extract.values.facts import Facts
from training.doc_extract.wording import SENTENCES, Piece, Slot, Wording

NOTHING = ""
_BLANKS = ("＿＿＿＿", "____", "________", "　　　　", "    ", "", "/", "＿＿＿＿＿＿＿＿", "——", "      ")
_BLANK_DATES = (
    "　　年　　月　　日",
    "＿＿年＿月＿日",
    "    年  月  日",
    "____年__月__日",
    "　　　　年　　月　　日",
    "",
)
_FILLED_IN = (
    ("＿", "＿"),
    ("＿＿", "＿＿"),
    ("__", "__"),
    (" ", " "),
    ("　", "　"),
    ("  ", "   "),
    ("＿＿＿", ""),
    (" ", ""),
)
"""What is left of the blank around a value that was written into it."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A document, character by character.

    Attributes:
        text: All of it.
        values: For each character the number of the value it belongs to; -1 for none.
        fields: Of each value the id of its field.
    """

    text: str
    values: Sequence[int]
    fields: Sequence[str]


def fill(wording: Wording, random: Random) -> Filled:
    """Fills every slot, but in some documents leaves some of them blank; no two fillings are alike."""
    facts = Facts(random)
    form = wording.kind != SENTENCES
    blank_share = random.uniform(0.1, 0.5) if form and random.random() < 0.3 else 0.0
    written_in = random.random() < (0.3 if form else 0.03)
    text: list[str] = []
    values: list[int] = []
    fields: list[str] = []
    for piece in wording.pieces:
        for part, field in _parts(piece, facts, random, blank_share=blank_share, written_in=written_in):
            number = -1
            if field:
                number = len(fields)
                fields.append(field)
            text.append(part)
            values += [number] * len(part)
    return Filled("".join(text), values, fields)


def _parts(
    piece: Piece, facts: Facts, random: Random, *, blank_share: float, written_in: bool
) -> list[tuple[str, str]]:
    """Pieces of text with the field that each is a value of."""
    if isinstance(piece, str):
        return [(piece, NOTHING)]
    if not piece.text and random.random() < blank_share:
        return [(_blank(piece, random), NOTHING)]
    printed = facts.print(piece)
    field = piece.name if piece.labelled and not piece.short else NOTHING
    lead, trail = printed[: len(printed) - len(printed.lstrip())], printed[len(printed.rstrip()) :]
    core = [(lead, NOTHING), (printed.strip(), field), (trail, NOTHING)]
    if written_in and random.random() < 0.5:
        before, behind = random.choice(_FILLED_IN)
        core = [(before, NOTHING), *core, (behind, NOTHING)]
    return [(part, name) for part, name in core if part]


def _blank(slot: Slot, random: Random) -> str:
    if slot.name.endswith(("date", "_start", "_end")):
        return random.choice(_BLANK_DATES)
    if slot.name == "amount" and slot.form not in ("bare", "wanbare") and random.random() < 0.5:
        return random.choice(_BLANKS) + random.choice(("元", "万元", "元整"))
    if slot.name in ("rate", "penalty_rate") and random.random() < 0.5:
        return random.choice(_BLANKS) + random.choice(("%", "‰", "％"))
    if slot.name == "term" and slot.form != "bare" and random.random() < 0.5:
        return random.choice(_BLANKS) + random.choice(("个月", "年"))
    return random.choice(_BLANKS)
