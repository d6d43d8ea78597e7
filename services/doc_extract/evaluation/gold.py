"""What documents and sentences are known to say."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from bankai.evaluation.inputs import BadInputError, read_text
from bankai.validation import first_problem

FILE = "gold.json"

GoldBox = Annotated[Sequence[float], Field(min_length=4, max_length=4)]


class _Gold(BaseModel):
    # A data set may note more beside a value than is judged.
    model_config = ConfigDict(frozen=True, extra="ignore")


class GoldPlace(_Gold):
    """Where a value stands on one page.

    Attributes:
        page: Number of the page, from 1.
        boxes: Left, top, right and bottom in points from the upper left corner of the page as it is read upright.
    """

    page: int = Field(ge=1)
    boxes: Sequence[GoldBox]


class GoldValue(_Gold):
    """One value.

    Attributes:
        field: Id of the field.
        text: As printed.
        norm: Its normal form; None where that is not judged.
        where: Where it stands; None where that is not judged.
    """

    field: str = Field(min_length=1)
    text: str = Field(min_length=1)
    norm: str | None = None
    where: Sequence[GoldPlace] | None = None


class GoldDocument(_Gold):
    """A document.

    Attributes:
        fields: Its values.
        flags: Ids of the checks that must find something; None where that is not judged.
    """

    fields: Sequence[GoldValue]
    flags: Sequence[str] | None = ()


class GoldSentence(_Gold):
    """A sentence.

    Attributes:
        text: The sentence.
        fields: Its values.
    """

    text: str = Field(min_length=1)
    fields: Sequence[GoldValue]


_DOCUMENTS = TypeAdapter(dict[str, GoldDocument])
_SENTENCES = TypeAdapter(list[GoldSentence])


def read_documents(folder: Path) -> dict[Path, GoldDocument]:
    """The documents of a folder with a gold.json, in its order.

    Raises:
        BadInputError: There is none, it is not as it should be, or names a file that is not there.
    """
    file = folder / FILE
    if not file.is_file():
        raise BadInputError(folder, None, f"holds no {FILE}; see bankai eval documents --help")
    gold = _parsed(file, _DOCUMENTS)
    missing = [name for name in gold if not (folder / name).is_file()]
    if missing:
        raise BadInputError(file, None, f"names {missing[0]!r}, which is not beside it")
    return {folder / name: document for name, document in gold.items()}


def read_sentences(file: Path) -> list[GoldSentence]:
    """The sentences of a file.

    Raises:
        BadInputError: It is not as it should be.
    """
    sentences: list[GoldSentence] = _parsed(file, _SENTENCES)
    return sentences


def _parsed(file: Path, adapter: TypeAdapter[Any]) -> Any:
    try:
        value = adapter.validate_json(read_text(file))
    except ValidationError as error:
        raise BadInputError(file, None, first_problem(error)) from None
    except json.JSONDecodeError as error:
        raise BadInputError(file, error.lineno, f"is no JSON ({error.msg})") from None
    if not value:
        raise BadInputError(file, None, "holds nothing to judge")
    return value
