import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("fontTools", reason="needs the training extra: make setup-train")

from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.page import Box, Page
from services.doc_extract.reading.pdf import read_pdf
from services.doc_extract.text import DocumentText
from training.doc_extract.drawing.document import Document
from training.doc_extract.drawing.pdf import draw
from training.doc_extract.drawing.scanning import Scanner, as_shown, scan, skewed
from training.doc_extract.drawing.typesetting import HEIGHT, WIDTH


def test_the_service_reads_what_was_drawn_at_its_place(document: Document) -> None:
    drawn = draw(document)
    text = DocumentText.of([page for page in read_pdf(drawn.pdf, IntakeLimits()) if isinstance(page, Page)])
    start = text.text.index("江城宏远机械有限公司")
    (region,) = text.regions(start, start + 10)
    (expected,) = drawn.places[0]
    assert _edges(region.boxes[0]) == pytest.approx(_edges(expected.boxes[0]), abs=0.1)


def test_a_wrapped_span_has_a_box_for_each_line(document: Document) -> None:
    (region,) = draw(document).places[1]
    upper, lower = region.boxes
    assert upper.bottom < lower.top
    assert lower.left < upper.left


def test_drawing_twice_gives_the_same_file(document: Document) -> None:
    assert draw(document).pdf == draw(document).pdf


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_places_of_a_scan_are_those_of_its_ink(document: Document, turn: int) -> None:
    scanner = Scanner(dpi=72, skew=3.0, turn=turn, noise=0, blur=0)  # type: ignore[arg-type]
    result = scan(draw(document), scanner)
    ((region,), picture) = result.places[2], result.pictures[0]
    box = as_shown(region.boxes[0], turn, WIDTH, HEIGHT)
    inside = picture[int(box.top) : int(box.bottom) + 1, int(box.left) : int(box.right) + 1]
    assert (inside.min(axis=2) < 160).mean() > 0.1
    assert picture.shape[0] < picture.shape[1] if turn in (90, 270) else picture.shape[0] > picture.shape[1]


def test_a_seal_is_red_and_a_grey_scan_is_not(document: Document) -> None:
    def red(picture: np.ndarray) -> int:
        return int(((picture[:, :, 0].astype(int) - picture[:, :, 1]) > 60).sum())

    drawn = draw(document)
    assert red(scan(drawn, Scanner(dpi=72)).pictures[0]) > 500
    assert red(scan(drawn, Scanner(dpi=72, grey=True)).pictures[0]) == 0


def test_files_of_a_scan_have_pictures_and_no_text(document: Document) -> None:
    result = scan(draw(document), Scanner(dpi=100))
    assert result.pdf().startswith(b"%PDF")
    assert b"/Font" not in result.pdf()
    for form in ("JPEG", "PNG"):
        with Image.open(io.BytesIO(result.image(form))) as image:
            assert image.info["dpi"] == pytest.approx((100, 100), abs=0.1)
            assert image.size == result.pictures[0].shape[1::-1]


def test_a_skew_turns_about_the_middle() -> None:
    box = Box(290, 410, 310, 430)
    assert _edges(skewed(box, 0, 600, 840)) == pytest.approx(_edges(box))
    assert _edges(skewed(Box(500, 420, 500, 420), 90, 600, 840)) == pytest.approx((300, 620, 300, 620))


def _edges(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom
