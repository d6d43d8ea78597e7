from dataclasses import dataclass

from services.doc_extract.reading.paragraphs import Row, running


@dataclass(frozen=True)
class Piece:
    top: float
    right: float
    height: float = 10.0

    @property
    def bottom(self) -> float:
        return self.top + self.height


def rows(*lines: tuple[str, float]) -> list[Row]:
    """Rows of 10 points every 14, each with its text and how far it reaches to the right."""
    pieces = [Piece(14.0 * number, right) for number, (_, right) in enumerate(lines)]
    return [Row(piece, piece, text, " " in text) for piece, (text, _) in zip(pieces, lines, strict=True)]


def test_a_blank_in_a_sentence_is_no_border_of_a_cell() -> None:
    page = rows(
        ("二、借款期限为 ，即自 年 月 日起，至2001", 500),
        ("年5月27日止。", 120),
        ("三、借款利率定为月息 ‰，每季结算一次，利息不能按期支付时，", 495),
        ("计算复利，利率为 ％。", 300),
    )
    assert running(page, 500) == [True, False, True, True]


def test_rows_of_a_form_or_a_table_are_none() -> None:
    page = rows(
        ("名称 数量 金额", 500),
        ("注塑机 2台 100万元", 500),
        ("借款人 宏远公司 证件号 913201", 500),
        ("甲方（公章），负责人 乙方（公章），负责人", 400),
        ("签约日期 地点", 400),
    )
    assert running(page, 500) == [False] * 5


def test_no_rows_have_none() -> None:
    assert running([], 500) == []
