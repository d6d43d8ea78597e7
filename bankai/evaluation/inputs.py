"""Reads gold files, and says exactly where and why one is unusable."""

import csv
import io
import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bankai.errors import InvalidRequestError

Item = TypeVar("Item")


class BadInputError(InvalidRequestError):
    """A file given to a command cannot be used.

    Args:
        file: The file as the user named it.
        line: Its line, from 1, or None where the file as a whole is meant.
        problem: What is wrong and what would be right.
    """

    def __init__(self, file: Path, line: int | None, problem: str) -> None:
        place = f"{file}, line {line}" if line else str(file)
        super().__init__("BAD_INPUT", f"{place}: {problem}")


def read_text(file: Path) -> str:
    """The file as text.

    Raises:
        BadInputError: It is no readable UTF-8 file.
    """
    try:
        data = file.read_bytes()
    except OSError as error:
        raise BadInputError(file, None, f"cannot be read ({error.strerror})") from None
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise BadInputError(file, line, "is not UTF-8; save the file as UTF-8") from None


def read_jsonl(file: Path, parse: Callable[[dict[str, Any]], Item]) -> list[Item]:
    """Reads a file of one JSON object a line; blank lines are skipped.

    Args:
        file: The file.
        parse: Turns an object into an item; raises ValueError saying what is wrong with it.

    Raises:
        BadInputError: The first line that is wrong, or that there is none.
    """
    items = []
    # Only a line feed ends a line: JSON strings may hold U+2028 and the like as they are.
    for number, line in enumerate(read_text(file).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            items.append(parse(_object(line)))
        except ValueError as error:
            raise BadInputError(file, number, str(error)) from None
    if not items:
        raise BadInputError(file, None, "holds no line to judge")
    return items


def read_csv(file: Path, columns: Sequence[str]) -> list[tuple[str, ...]]:
    """Reads these columns of a CSV file with a header line.

    Raises:
        BadInputError: A column is missing, a cell is empty, or there is no row.
    """
    reader = csv.DictReader(io.StringIO(read_text(file), newline=""), strict=True)
    rows = []
    try:
        missing = [column for column in columns if column not in (reader.fieldnames or ())]
        if missing:
            raise BadInputError(file, 1, f"has no column {' and no column '.join(map(repr, missing))}")
        for row in reader:
            cells = tuple((row[column] or "").strip() for column in columns)
            if not all(cells):
                empty = columns[cells.index("")]
                raise BadInputError(file, reader.line_num, f"column {empty!r} is empty")
            rows.append(cells)
    except csv.Error as error:
        raise BadInputError(file, reader.reader.line_num, f"is no CSV ({error})") from None
    if not rows:
        raise BadInputError(file, None, "holds no row below its header")
    return rows


def text_field(row: dict[str, Any], name: str, *, max_chars: int) -> str:
    """A field that must be a text with something in it.

    Raises:
        ValueError: It is not.
    """
    value = row.get(name)
    if not isinstance(value, str):
        raise ValueError(f"{name!r} must be a string" if name in row else f"{name!r} is missing")  # noqa: TRY004  # of a file
    if not value.strip():
        raise ValueError(f"{name!r} is empty")
    if len(value) > max_chars:
        raise ValueError(f"{name!r} has {len(value):,} characters; at most {max_chars:,} are allowed")
    if not value.isprintable() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{name!r} holds half of a surrogate pair, which is no Unicode text")
    return value


def label_field(row: dict[str, Any], name: str, allowed: Iterable[str]) -> str | None:
    """A field that must be one of the allowed labels, null or left out.

    Raises:
        ValueError: It is neither.
    """
    value = row.get(name)
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"{name!r} must be a string or null")  # noqa: TRY004  # of a file, not of a call
    if value not in set(allowed):
        raise ValueError(f"{name!r} names {value!r}, which the model does not know")
    return value


def labels_field(row: dict[str, Any], name: str, allowed: Iterable[str]) -> tuple[str, ...]:
    """A field that must be a list of allowed labels, without repetition.

    Raises:
        ValueError: It is not.
    """
    values = row.get(name)
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise ValueError(f"{name!r} must be a list of strings" if name in row else f"{name!r} is missing")
    unknown = [value for value in values if value not in set(allowed)]
    if unknown:
        raise ValueError(f"{name!r} names {unknown[0]!r}, which the model does not know")
    return tuple(dict.fromkeys(values))


def _object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"is no JSON ({error.msg} at column {error.colno})") from None
    except RecursionError:
        raise ValueError("is no JSON that can be read: nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError("must be a JSON object")  # noqa: TRY004  # of a file, not of a call
    return value
