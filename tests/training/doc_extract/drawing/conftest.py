import subprocess

import pytest

pytest.importorskip("fontTools", reason="needs the training extra: make setup-train")

from training.doc_extract.drawing.document import Document, Form, Mark, Paragraph, Seal, Text
from training.doc_extract.drawing.fonts import font_file


@pytest.fixture(scope="session")
def document() -> Document:
    """A notice with marks 1 (wrapped), 2 (in a table) and 3 (sealed)."""
    try:
        font_file("serif")
    except subprocess.CalledProcessError:
        pytest.skip("the fonts' package cannot be got from the registry")
    wrapped = "同意向江城宏远机械有限公司提供人民币贷款，用于购买原材料，" * 2
    return Document(
        [
            Paragraph(Text("授信审批通知书"), align="centre", scale=1.6),
            Paragraph(Text(wrapped, [Mark(3, 13, 0), Mark(30, 50, 1)]), indent=2),
            Form([[Text("借款人"), Text("江城宏远机械有限公司", [Mark(0, 10, 2)])], [Text("用途"), Text("")]]),
            Paragraph(Text("江城银行股份有限公司", [Mark(0, 10, 3)]), align="right"),
        ],
        [Seal("江城银行股份有限公司", 3)],
    )
