"""How far the extraction of a document is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the extraction of a document is.

    Attributes:
        done: Pages that were read.
        pages: Pages of the document.
    """

    done: int
    pages: int
