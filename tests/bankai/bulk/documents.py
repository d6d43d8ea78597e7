"""Documents to work on in bulk."""

from pathlib import Path


def notices(folder: Path, count: int) -> None:
    """Writes so many approval notices, each for another borrower."""
    folder.mkdir()
    for number in range(count):
        lines = ("授信审批通知书", f"借款人：宏远机械第{number}有限公司", "授信金额：人民币5,000,000.00元")
        text = "\n".join(lines)
        (folder / f"notice-{number:03}.txt").write_text(text, encoding="utf-8")
