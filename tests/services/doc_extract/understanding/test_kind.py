import pytest

from services.doc_extract.result import DocumentKind
from services.doc_extract.understanding.kind import document_kind


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("授信审批通知书\n借款人\t甲公司\n审批意见\t同意", DocumentKind.APPROVAL_NOTICE),
        ("流动资金借款合同\n借款人：甲公司\n贷款人：江城银行", DocumentKind.LOAN_CONTRACT),
        ("最高额保证合同\n保证人：乙公司\n债权人：江城银行\n借款人甲公司", DocumentKind.GUARANTEE_CONTRACT),
        ("房地产抵押合同\n抵押人：乙公司\n抵押权人：江城银行\n借款人甲公司", DocumentKind.COLLATERAL_CONTRACT),
        ("TERM LOAN AGREEMENT\namong the Borrower and the Lender", DocumentKind.LOAN_CONTRACT),
        ("房屋租赁合同\n出租人：甲\n承租人：乙", DocumentKind.OTHER),
        ("", DocumentKind.OTHER),
    ],
)
def test_kinds(text: str, kind: DocumentKind) -> None:
    found, share = document_kind(text)
    assert found is kind
    assert 0 < share <= 1
