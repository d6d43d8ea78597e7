"""Draws the documents of `bankai demo`: `python -m training.doc_extract.samples`.

An approval notice of an invented bank for an invented company, as a PDF with text and as a scan: askew, sealed, noisy.
Its amounts in figures and in words differ on purpose, and some of its cells are blank, as in real ones.
"""

import argparse
from pathlib import Path

from training.doc_extract.drawing.document import Document, Form, Mark, Paragraph, Seal, Text
from training.doc_extract.drawing.pdf import draw
from training.doc_extract.drawing.scanning import Scanner, scan
from training.paths import ROOT

FOLDER = ROOT / "services" / "doc_extract" / "cli" / "samples"
_SEALED = 1
_FORM = (
    ("申请人", "江城宏远机械有限公司", "统一社会信用代码", "911761727FDLQ20RDW"),
    ("授信额度（小写）", "人民币7,850,000.00元", "授信额度（大写）", "人民币柒佰伍拾捌万元整"),
    ("授信品种", "流动资金贷款", "期限", "36个月"),
    ("执行利率", "1年期LPR加135个基点", "还款方式", "按月付息，到期还本"),
    ("保证人", "江城建设集团有限公司", "共同借款人", ""),
    ("用途", "采购钢材及配件", "还款账号", "6222 0212 3456 7890 123"),
    ("额度有效期", "2023年1月9日至2024年1月8日", "审批意见", "同意"),
)
_CONDITIONS = (
    "1、抵押登记手续办妥，我行为第一顺位抵押权人；",
    "2、落实江城建设集团有限公司连带责任保证。",
)


def notice() -> Document:
    """The approval notice."""
    signed = "江城银行股份有限公司授信审批部"
    return Document(
        [
            Paragraph(Text("江城银行股份有限公司"), align="centre", scale=1.3),
            Paragraph(Text("授信审批通知书"), align="centre", scale=1.7),
            Paragraph(Text("批复文号：江银审〔2023〕118号"), align="right"),
            Paragraph(Text("高新支行：")),
            Paragraph(
                Text(
                    "你行上报的江城宏远机械有限公司授信业务申请收悉。该公司注册资本5,000万元，在他行贷款余额1,200万元。"
                    "经总行贷审会审议，批复如下："
                ),
                indent=2,
            ),
            Form([[Text(cell) for cell in row] for row in _FORM], widths=[(0.16, 0.32, 0.2, 0.32)]),
            Paragraph(Text("提款条件：")),
            *(Paragraph(Text(each), indent=2) for each in _CONDITIONS),
            Paragraph(Text("抵押物：位于江城市高新区长江路8号的厂房，评估价值1,560万元，抵押率50%。"), indent=2),
            Paragraph(
                Text("逾期罚息利率在执行利率基础上加收50%。请按规定签订合同，并于每季度末报送贷后检查报告。"), indent=2
            ),
            Paragraph(Text("")),
            Paragraph(Text(signed, [Mark(0, len(signed), _SEALED)]), align="right"),
            Paragraph(Text("2023年1月9日"), align="right"),
        ],
        [Seal("江城银行股份有限公司", _SEALED)],
    )


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=FOLDER, help="folder to write (default: %(default)s)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    drawn = draw(notice())
    (options.out / "approval_notice.pdf").write_bytes(drawn.pdf)
    scanned = scan(drawn, Scanner(dpi=150, skew=2.3, noise=6.0, quality=60))
    (options.out / "approval_notice_scan.jpg").write_bytes(scanned.image("JPEG"))
    print(f"{options.out}: approval_notice.pdf, approval_notice_scan.jpg")


if __name__ == "__main__":
    main()
