import numpy as np
import pytest

from services.doc_extract.reading.ocr.rules import grids
from services.doc_extract.reading.ocr.seals import without_seals
from services.doc_extract.reading.ocr.skew import levelled, slope
from services.doc_extract.reading.ocr.specks import without_specks
from tests.services.doc_extract.reading.ocr.pages import DPI, page, ruled, sealed, skewed


@pytest.mark.parametrize("degrees", [-6.0, -2.3, -1.0, 1.0, 3.0, 8.0])
def test_the_slope_of_lines_is_found(degrees: float) -> None:
    assert slope(skewed(page(), degrees)) == pytest.approx(degrees, abs=0.2)


def test_level_lines_and_empty_pages_are_left_as_they_are() -> None:
    for picture in (page(), np.full((300, 200, 3), 255, np.uint8)):
        assert levelled(picture).picture is picture


def test_points_of_a_levelled_page_lead_back() -> None:
    level = levelled(skewed(page(), 4.0))
    point = np.array([123.0, 456.0, 1.0])
    there = level.there @ point
    np.testing.assert_allclose(level.back @ [*there, 1.0], point[:2], atol=1e-6)


def test_a_red_seal_goes_and_the_print_below_it_stays() -> None:
    plain = page()
    freed = without_seals(sealed(plain), DPI)
    print_there = plain.min(axis=2) < 90
    assert (freed[print_there].max(axis=1) < 150).mean() > 0.95
    reddish = (freed[:, :, 0].astype(int) - freed[:, :, 1]) > 35
    assert reddish.mean() < 0.0005


def test_a_page_without_seals_is_the_same_object() -> None:
    for picture in (page(), ruled(3, 2)):
        assert without_seals(picture, DPI) is picture


def test_red_headings_are_no_seal() -> None:
    heading = page()
    heading[100:150][heading[100:150, :, 0] < 128] = (210, 30, 30)
    assert without_seals(heading, DPI) is heading


def test_a_fax_s_specks_are_taken_off_and_print_stays() -> None:
    random = np.random.default_rng(0)
    plain = page()
    noisy = plain.copy()
    noisy[random.integers(0, 800, 1500), random.integers(0, 1000, 1500)] = 0
    cleaned = without_specks(noisy, DPI)
    paper = plain.min(axis=2) > 250
    assert (cleaned[paper].max(axis=1) < 128).mean() < 0.1 * (noisy[paper].max(axis=1) < 128).mean()
    assert without_specks(plain, DPI) is plain


@pytest.mark.parametrize(("rows", "columns"), [(1, 2), (3, 2), (4, 3)])
def test_a_ruled_table_has_its_cells_in_reading_order(rows: int, columns: int) -> None:
    (grid,) = grids(ruled(rows, columns), text_height=30.0)
    assert [(field.row, field.column) for field in grid.fields] == [
        (row, column) for row in range(rows) for column in range(columns)
    ]


def test_lines_of_text_are_no_table() -> None:
    assert list(grids(page(), text_height=30.0)) == []
