from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.errors import InvalidRequestError
from services.doc_extract.cli.annotation import DPI, REVIEW, SURE, annotate, check_target
from tests.services.doc_extract.documents import pdf, scan, text

SCALE = DPI / 72


def result(*, pages: int = 1, width: float = 595, rotation: int = 0) -> pb.ExtractionResult:
    """An amount that is sure on every page, and a rate below it that is not."""
    found = pb.ExtractionResult()
    for number in range(1, pages + 1):
        found.pages.add(number=number, width=width, height=842, rotation=rotation)
        for field, top, review in (("amount", 300.0, False), ("rate", 400.0, True)):
            value = found.values.add(field_id=field, confidence=0.9, needs_review=review)
            value.evidence.add(page=number).boxes.add(left=200, top=top, right=300, bottom=top + 20)
    return found


def colour_at(file: Path, x: float, y: float) -> tuple[int, ...]:
    """What is drawn at a place, in points."""
    with Image.open(file) as image:
        pixels = np.asarray(image.convert("RGB"))
    return tuple(pixels[round(y * SCALE), round(x * SCALE)].tolist())


def test_boxes_are_drawn_around_values_in_the_colour_of_their_state(tmp_path: Path) -> None:
    (file,) = annotate(pdf(), result(), tmp_path / "out.png")
    assert colour_at(file, 250, 300 - 2.5 / SCALE) == SURE
    assert colour_at(file, 250, 400 - 2.5 / SCALE) == REVIEW
    assert colour_at(file, 250, 310) == (255, 255, 255)


def test_pages_become_files_or_pages_of_a_pdf(tmp_path: Path) -> None:
    data = pdf(pages=2)
    assert [file.name for file in annotate(data, result(pages=2), tmp_path / "out.png")] == ["out-1.png", "out-2.png"]
    (file,) = annotate(data, result(pages=2), tmp_path / "out.pdf")
    assert file.read_bytes().startswith(b"%PDF")


def test_a_turned_scan_is_drawn_upright(tmp_path: Path) -> None:
    (file,) = annotate(scan(turn=90), result(rotation=270), tmp_path / "out.png")
    with Image.open(file) as image:
        assert image.size == (1240, 1754)


def test_text_has_no_pages_to_draw_on(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequestError) as error:
        annotate(text(), result(width=0), tmp_path / "out.png")
    assert error.value.reason == "NOTHING_TO_DRAW_ON"


@pytest.mark.parametrize("name", ["out.jpg", "out"])
def test_only_pdf_and_png_are_drawn_into(name: str) -> None:
    with pytest.raises(InvalidRequestError, match=r"\.pdf or \.png"):
        check_target(Path(name))
