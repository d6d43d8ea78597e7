import pytest

from services.doc_extract.schema import credit
from services.doc_extract.understanding.decoding import RoleValue
from services.doc_extract.understanding.short_names import resolve

FULL = "宏远机械有限公司"


@pytest.mark.parametrize(
    "given",
    [
        "（以下简称“宏远公司”）",
        "（下称宏远公司）",
        "（以下简称：宏远公司）",
        "（借款人，以下简称“宏远公司”）",
        "(简称宏远公司)",
    ],
)
def test_a_short_name_means_the_full_one(given: str) -> None:
    text = f"{FULL}{given}向本行借款，由宏远公司归还"
    second = text.rindex("宏远公司")
    values = [
        RoleValue("borrower", 0, len(FULL), FULL, 0.9),
        RoleValue("borrower", second, second + 4, "宏远公司", 0.9),
    ]
    assert [value.norm for value in resolve(text, values, credit().fields)] == [FULL, FULL]


def test_other_names_stay() -> None:
    text = f"{FULL}（以下简称甲方）和乙公司"
    values = [RoleValue("borrower", 0, len(FULL), FULL, 0.9), RoleValue("guarantor", 15, 18, "乙公司", 0.9)]
    assert [value.norm for value in resolve(text, values, credit().fields)] == [FULL, "乙公司"]
