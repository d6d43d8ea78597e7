from itertools import groupby
from random import Random

import pytest

from services.doc_extract.candidate import ValueKind
from services.doc_extract.normal_forms.registry import normalise
from services.doc_extract.schema import credit
from training.doc_extract.filling import Filled, fill
from training.doc_extract.variation import Variation
from training.doc_extract.wording import SENTENCES, Wording, parse

WORDING = (
    "{borrower:org}（简称{borrower.short}）向{lender:branch}借{amount:yuan}（{amount_upper:upper}），利率{rate:annual}，"
    "{start_date:cn}至{end_date:cn}，{-amount}，{guarantor:person}、{guarantor#2:person}担保，再说{borrower:org}"
)


def filled(seed: int, text: str = WORDING, kind: str = SENTENCES) -> Filled:
    return fill(Wording(kind, "test", parse(text)), Random(seed))


def values(document: Filled) -> list[tuple[str, str]]:
    marked = zip(document.text, document.values, strict=True)
    return [
        (document.fields[number], "".join(char for char, _ in group))
        for number, group in groupby(marked, key=lambda each: each[1])
        if number >= 0
    ]


@pytest.mark.parametrize("seed", range(30))
def test_what_is_printed_agrees(seed: int) -> None:
    found = values(filled(seed))
    assert [field for field, _ in found] == [
        *("borrower", "lender", "amount", "amount_upper", "rate", "start_date", "end_date"),
        *("guarantor", "guarantor", "borrower"),
    ]
    told = dict(found)
    amounts = {normalise(ValueKind.AMOUNT, told[field]) for field in ("amount", "amount_upper")}
    assert len(amounts) == 1
    assert found[0] == found[-1]
    start, end = (normalise(ValueKind.DATE, told[field]) for field in ("start_date", "end_date"))
    assert start is not None
    assert end is not None
    assert start < end


@pytest.mark.parametrize("seed", range(30))
def test_every_form_has_a_normal_form(seed: int) -> None:
    kinds = {field.id: field.kind for field in credit().fields}
    text = "{amount}；{amount_upper}；{rate}；{penalty_rate}；{term}；{sign_date}；{borrower_id}；{account}"
    for field, printed in values(filled(seed, text)):
        assert normalise(kinds[field], printed) is not None, printed


def test_blanks_of_forms_are_no_values() -> None:
    text = "借款人：{borrower}，金额{amount}"
    assert {len(values(filled(seed, text, "loan_contract"))) for seed in range(200)} == {0, 1, 2}


@pytest.mark.parametrize("seed", range(50))
def test_variation_keeps_values_in_one_piece(seed: int) -> None:
    random = Random(seed)
    before = filled(seed, WORDING + "\n第二条\t内容\n第三条", "loan_contract")
    varied = Variation(random)(before)
    assert len(varied.text) == len(varied.values)
    numbers = [number for number, _ in groupby(varied.values) if number >= 0]
    assert len(numbers) == len(set(numbers))
