"""The amounts of JioNLP's own tests (Apache-2.0), where they name one definite sum and a currency that we know."""

import ast
from pathlib import Path
from typing import Any

import pytest

from services.doc_extract.normal_forms.amounts import normalise_amount

SUITE = Path(__file__).parents[5] / "shared" / "data" / "jionlp-tests" / "test_money_parser.py"
CODES = {"元": "", "港元": " HKD", "美元": " USD", "日元": " JPY", "欧元": " EUR", "英镑": " GBP", "新台币": " TWD"}


def cases() -> list[tuple[str, dict[str, Any]]]:
    tree = ast.parse(SUITE.read_text(encoding="utf-8"))
    rows = next(
        ast.literal_eval(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "money_string_list"
    )
    return [(text, gold) for text, gold, *_ in rows]


@pytest.mark.skipif(not SUITE.exists(), reason="JioNLP's tests are not beside the checkout")
def test_definite_amounts() -> None:
    definite = [
        (text, gold["num"] + CODES[gold["case"]])
        for text, gold in cases()
        if gold and gold["definition"] == "accurate" and isinstance(gold["num"], str) and gold["case"] in CODES
    ]
    wrong = [text for text, norm in definite if normalise_amount(text) not in {norm, None}]
    missed = [text for text, _ in definite if normalise_amount(text) is None]
    assert len(definite) >= 20
    assert wrong == []
    assert len(missed) <= 0.2 * len(definite), missed
