"""What a transcript is turned into before any model sees it."""

import re
import unicodedata

_SPACE = re.compile(r"\s+")
_UNSPOKEN = re.compile(r"[\u0000-\u001f\u007f\u200b-\u200f\u202a-\u202e\u2060\ufeff]+")
_UNIT = re.compile(r"[a-z]+(?:'[a-z]+)?|\d+|[^\sa-z\d]")


def normalise(text: str) -> str:
    """Folds what a listener could not tell apart: NFKC, lower case, single spaces, no unspoken characters."""
    folded = unicodedata.normalize("NFKC", _UNSPOKEN.sub(" ", text)).lower()
    return _SPACE.sub(" ", folded).strip()


def units(text: str) -> list[str]:
    """The units that n-grams are made of: each Chinese character or sign, each Latin word, each run of digits.

    Args:
        text: Normalised text.
    """
    return _UNIT.findall(text)
