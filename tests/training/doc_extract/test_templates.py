from random import Random

import pytest

from training.doc_extract.templates.contradictions import KEPT, contradicted
from training.doc_extract.templates.documents import documents
from training.paths import PUBLIC_DATA_DIR


def test_a_contradiction_is_kept_from_being_left_blank() -> None:
    blanks = {"1": "{amount:yuan}", "2": "{amount_upper:upper}", "3": "{borrower:org}"}
    found, flags = contradicted(blanks, Random(0))
    assert found == {"1": KEPT + "{amount:yuan}", "2": KEPT + "{amount_upper:upper#8}", "3": "{borrower:org}"}
    assert flags == ["amount_upper_mismatch"]


def test_what_cannot_contradict_stays() -> None:
    blanks = {"1": "{borrower:org}"}
    assert contradicted(blanks, Random(0)) == (blanks, [])


@pytest.mark.skipif(not (PUBLIC_DATA_DIR / "zh-loan-templates").exists(), reason="needs the set zh-loan-templates")
def test_values_stand_where_they_are_said_to_stand() -> None:
    filled = list(documents("dev", Random(0)))
    assert len(filled) > 10
    for document in filled:
        for field in document.fields:
            start, end = field["span"]
            assert document.text[start:end] == field["text"]
