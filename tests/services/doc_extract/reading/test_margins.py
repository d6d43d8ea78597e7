import numpy as np

from services.doc_extract.page import Line, Page, Paragraph
from services.doc_extract.reading.margins import without_margins
from services.doc_extract.text import DocumentText


def line(text: str, top: float) -> Paragraph:
    edges = np.arange(len(text), dtype=np.float32) * 10
    boxes = np.stack([edges, np.full_like(edges, top), edges + 10, np.full_like(edges, top + 10)], axis=1)
    return Paragraph([Line(text, boxes)])


def document(*pages: tuple[tuple[str, float], ...]) -> tuple[Page, ...]:
    return tuple(
        Page(number, 595, 842, [line(text, top) for text, top in lines]) for number, lines in enumerate(pages, 1)
    )


def said(pages: tuple[Page, ...]) -> list[str]:
    return DocumentText.of(pages).text.split()


def test_page_numbers_and_running_heads_go() -> None:
    pages = document(
        *((("江城银行借款合同", 30), (f"条款{page}", 400), (f"第 {page} 页 共 4 页", 800)) for page in range(1, 5))
    )
    assert said(without_margins(pages)) == ["条款1", "条款2", "条款3", "条款4"]


def test_what_stands_once_in_a_margin_stays() -> None:
    pages = document((("合同编号：123", 30), ("正文", 400)), (("正文", 400), ("2023年1月9日", 810)))
    assert without_margins(pages) == pages


def test_one_page_is_left_as_it_is() -> None:
    pages = document((("7", 800),))
    assert without_margins(pages) == pages


def test_a_figure_in_the_text_is_no_page_number() -> None:
    pages = document((("100", 400),), (("200", 400),))
    assert said(without_margins(pages)) == ["100", "200"]
