"""What a document to draw consists of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Mark:
    """A span of characters whose place is asked for.

    Attributes:
        start: First character in its text.
        end: One past the last.
        key: Names it in the answer. Several marks may share one.
    """

    start: int
    end: int
    key: int


@dataclass(frozen=True, slots=True)
class Text:
    """Text without line breaks, and the spans in it whose places are asked for."""

    text: str
    marks: Sequence[Mark] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Text that is wrapped at the margin.

    Attributes:
        text: What it says.
        align: Where its lines stand.
        scale: Size of its letters, in those of the document.
        indent: Characters that its first line stands in.
    """

    text: Text
    align: Literal["left", "centre", "right"] = "left"
    scale: float = 1.0
    indent: int = 0


@dataclass(frozen=True, slots=True)
class Form:
    """A table with ruled lines.

    Attributes:
        rows: Cells of each row; rows may have different numbers of them.
        widths: For each number of cells that a row has, how wide they are, in shares of the page's width between the
            margins; all alike where it is not there.
    """

    rows: Sequence[Sequence[Text]]
    widths: Sequence[Sequence[float]] = ()


@dataclass(frozen=True, slots=True)
class Seal:
    """A round seal over what stands around it.

    Attributes:
        name: The words on its rim.
        key: Mark over which it is pressed.
        colour: Red, green, blue; 0 to 255.
    """

    name: str
    key: int
    colour: tuple[int, int, int] = (205, 25, 30)


@dataclass(frozen=True, slots=True)
class Document:
    """A document to draw.

    Attributes:
        blocks: From top to bottom.
        seals: Pressed on it.
        face: Of its letters.
        size: Of its letters, in points.
    """

    blocks: Sequence[Paragraph | Form]
    seals: Sequence[Seal] = ()
    face: Literal["sans", "serif"] = "serif"
    size: float = 11.0
