import numpy as np
import pytest

from services.doc_extract.page import Box, Cell, Line, Page, Paragraph, Table
from services.doc_extract.text import DocumentText


def line(text: str, left: float, top: float) -> Line:
    """Characters ten points wide and twelve high."""
    boxes = [(left + 10 * place, top, left + 10 * place + 10, top + 12) for place in range(len(text))]
    return Line(text, np.array(boxes, np.float32))


def test_wrapped_lines_are_joined_and_found_again() -> None:
    page = Page(1, 595, 842, [Paragraph([line("借款金额壹佰", 10, 10), line("万元整", 10, 30)])])
    text = DocumentText.of([page])
    assert text.text == "借款金额壹佰万元整\n"
    (region,) = text.regions(4, 9)
    assert region.page == 1
    assert region.boxes == (Box(50, 10, 70, 22), Box(10, 30, 40, 42))


def test_english_words_do_not_run_into_each_other() -> None:
    page = Page(1, 595, 842, [Paragraph([line("the principal", 0, 0), line("amount", 0, 20)])])
    assert DocumentText.of([page]).text == "the principal amount\n"


def test_rows_and_pages() -> None:
    table = Table([Cell(0, 0, [line("期限", 0, 0)]), Cell(0, 1, []), Cell(1, 0, [line("一年", 0, 20)])])
    text = DocumentText.of([Page(1, 595, 842, [table]), Page(2, 595, 842, [Paragraph([line("完", 0, 0)])])])
    assert text.text == "期限\t\n一年\n完\n"
    assert [region.page for region in text.regions(0, len(text.text))] == [1, 2]


def test_plain_text_has_no_places() -> None:
    (region,) = DocumentText.plain("期限一年").regions(2, 4)
    assert region.boxes == ()


def full_line(text: str, right: float) -> Paragraph:
    edges = np.linspace(50, right, len(text) + 1, dtype=np.float32)
    boxes = np.stack([edges[:-1], np.full(len(text), 700), edges[1:], np.full(len(text), 712)], axis=1)
    return Paragraph([Line(text, boxes.astype(np.float32))])


@pytest.mark.parametrize(
    ("last", "right", "first", "text"),
    [
        ("借款期限自2023年1月", 540, "9日起至2024年1月8日止", "借款期限自2023年1月9日起至2024年1月8日止\n"),
        ("借款期限三年。", 540, "利率", "借款期限三年。\n利率\n"),
        ("签字", 120, "日期", "签字\n日期\n"),
        ("借款用途购买原材料", 540, "第三条 利率", "借款用途购买原材料\n第三条 利率\n"),
    ],
)
def test_a_sentence_goes_on_over_the_end_of_a_page(last: str, right: float, first: str, text: str) -> None:
    pages = [
        Page(1, 595, 842, [full_line("第一条" + "甲" * 30 + "。", 540), full_line(last, right)]),
        Page(2, 595, 842, [full_line(first, 400)]),
    ]
    assert DocumentText.of(pages).text.split("\n", 1)[1] == text


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("借款期限自201", "9年起", "借款期限自2019年起\n"),
        ("a term of", "36 months", "a term of 36 months\n"),
        ("in the year 2019", "30 days later", "in the year 2019 30 days later\n"),
        ("借款人Harbor", "Foods公司", "借款人Harbor Foods公司\n"),
    ],
)
def test_a_number_that_was_wrapped_in_a_chinese_line_is_whole(first: str, second: str, text: str) -> None:
    page = Page(1, 595, 842, [Paragraph([line(first, 10, 10), line(second, 10, 30)])])
    assert DocumentText.of([page]).text == text
