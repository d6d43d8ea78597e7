"""Values that the model found and values that stand behind their labels, put together; each is told once."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from services.doc_extract.schema import Schema
from services.doc_extract.understanding.decoding import RoleValue
from services.doc_extract.understanding.labelled import LabelledValue

LABEL_DOUBT = 0.125
"""What is left of the model's doubt where a value also stands behind a label of its field."""
SURE = 0.9
"""Score from which what the model found is not extended to all that stands behind the label."""
LABEL_ALONE = 0.5
"""Score of a value behind its label where the model says nothing of its place, and of a field that it doesn't know."""


def combine(found: Sequence[RoleValue], labelled: Iterable[LabelledValue], schema: Schema) -> list[RoleValue]:
    """One value for each field and normal form, where it is surest; in the order of the text.

    Args:
        found: What the model found.
        labelled: What stands behind labels.
        schema: The fields that are wanted.
    """
    wanted = {field.id for field in schema.fields}
    values = [value for value in found if value.field in wanted]
    for each in labelled:
        rivals = [value for value in values if value.start < each.end and each.start < value.end]
        if all(_is_piece(value, each) for value in rivals):
            values = [value for value in values if value not in rivals]
            score = max([LABEL_ALONE, *(value.score for value in rivals if value.field == each.field)])
            values.append(RoleValue(each.field, each.start, each.end, each.norm, score))
    best: dict[tuple[str, str], RoleValue] = {}
    for value in values:
        key = (value.field, value.norm or "")
        if key not in best or value.score > best[key].score:
            best[key] = value
    return sorted(best.values(), key=lambda value: (value.start, value.end))


def _is_piece(value: RoleValue, whole: LabelledValue) -> bool:
    """Whether what the model found is a doubtful part of what stands behind a label."""
    part = whole.start <= value.start and value.end <= whole.end and value.end - value.start < whole.end - whole.start
    return part and value.score < (SURE if value.field == whole.field else LABEL_ALONE)


def agreed(found: Sequence[RoleValue], labelled: Iterable[LabelledValue]) -> list[RoleValue]:
    """The model's values, those surer that stand behind a label of their field."""
    places = {(each.field, each.start) for each in labelled}
    return [
        replace(value, score=1 - (1 - value.score) * LABEL_DOUBT) if (value.field, value.start) in places else value
        for value in found
    ]
