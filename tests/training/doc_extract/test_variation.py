from random import Random

from training.doc_extract.filling import Filled
from training.doc_extract.variation import Variation

TEXT = "甲方：宏远公司\n乙方：江城银行\n甲方向乙方借款，甲、乙双方签订本合同。丙级资质。"
VALUES = [0 if 3 <= place < 7 else 1 if 11 <= place < 15 else -1 for place in range(len(TEXT))]


def variants(count: int) -> list[Filled]:
    vary = Variation(Random(0))
    document = Filled(TEXT, VALUES, ["borrower", "lender"])
    return [vary(document) for _ in range(count)]


def test_parties_are_exchanged_throughout() -> None:
    found = {each.text for each in variants(300)}
    exchanged = "乙方：宏远公司\n甲方：江城银行\n乙方向甲方借款，乙、甲双方签订本合同。丙级资质。"
    assert {TEXT, exchanged} <= found


def test_words_are_exchanged_for_others_of_their_length() -> None:
    found = "".join(each.text for each in variants(300))
    for word in ("本协议", "本契约", "订立", "签署"):
        assert word in found
