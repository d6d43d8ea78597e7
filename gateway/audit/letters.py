"""Bytes as letters: hexadecimal without digits, which the redaction of logs never takes for somebody's number."""

_HEX = "0123456789abcdef"
_LETTERS = "abcdefghijklmnop"
_TO_LETTERS = str.maketrans(_HEX, _LETTERS)
_TO_HEX = str.maketrans(_LETTERS, _HEX)


def to_letters(data: bytes) -> str:
    """Two letters for each byte."""
    return data.hex().translate(_TO_LETTERS)


def from_letters(text: str) -> bytes:
    """The same the other way round.

    Raises:
        ValueError: It is no such text.
    """
    if not set(text) <= set(_LETTERS):
        raise ValueError("not made of the letters a to p")
    return bytes.fromhex(text.translate(_TO_HEX))
