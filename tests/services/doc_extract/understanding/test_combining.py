import pytest

from services.doc_extract.schema import credit
from services.doc_extract.understanding.combining import LABEL_ALONE, agreed, combine
from services.doc_extract.understanding.decoding import RoleValue
from services.doc_extract.understanding.labelled import LabelledValue


def test_a_value_is_told_once_where_it_is_surest() -> None:
    found = [RoleValue("borrower", 0, 2, "张三", 0.6), RoleValue("borrower", 9, 11, "张三", 0.9)]
    assert combine(found, [], credit()) == [found[1]]


def test_a_label_adds_what_the_model_missed_but_never_overrules_it() -> None:
    found = [RoleValue("lender", 0, 2, "甲行", 0.9)]
    labelled = [LabelledValue("borrower", 0, 2, "甲行"), LabelledValue("term", 5, 8, "P36M")]
    assert combine(found, labelled, credit()) == [found[0], RoleValue("term", 5, 8, "P36M", LABEL_ALONE)]


def test_pieces_of_a_value_behind_its_label_are_put_together() -> None:
    pieces = [RoleValue("contract_no", 0, 2, "江银", 0.4), RoleValue("contract_no", 3, 13, "〔2023〕118号", 0.7)]
    whole = LabelledValue("contract_no", 0, 13, "江银审〔2023〕118号")
    assert combine(pieces, [whole], credit()) == [RoleValue("contract_no", 0, 13, "江银审〔2023〕118号", 0.7)]


def test_a_part_that_the_model_is_sure_of_is_all_of_the_value() -> None:
    found = [RoleValue("collateral", 0, 6, "长江路8号", 0.95)]
    assert combine(found, [LabelledValue("collateral", 0, 15, "长江路8号，评估价值100万元")], credit()) == found


def test_a_piece_that_is_surely_another_field_stands() -> None:
    found = [RoleValue("lender", 0, 4, "江城银行", 0.9)]
    assert combine(found, [LabelledValue("purpose", 0, 9, "江城银行的贷款置换")], credit()) == found


def test_a_value_behind_its_label_is_surer() -> None:
    found = [RoleValue("term", 5, 8, "P36M", 0.6), RoleValue("rate", 9, 12, "5%/a", 0.6)]
    scores = [value.score for value in agreed(found, [LabelledValue("term", 5, 8, "P36M")])]
    assert scores == pytest.approx([0.95, 0.6])
