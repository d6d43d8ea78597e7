import numpy as np
import pytest

from services.doc_extract.reading.ocr.levelling import Level, mapped
from services.doc_extract.reading.ocr.outline import outline
from services.doc_extract.reading.ocr.rules import grids
from services.doc_extract.reading.ocr.seals import without_seals
from services.doc_extract.reading.ocr.skew import slope
from services.doc_extract.reading.ocr.specks import without_specks
from tests.services.doc_extract.reading.ocr.pages import DPI, Picture, page, photographed, ruled, sealed, skewed


@pytest.mark.parametrize("degrees", [-6.0, -2.3, -1.0, 1.0, 3.0, 8.0])
def test_the_slope_of_lines_is_found(degrees: float) -> None:
    assert slope(skewed(page(), degrees)) == pytest.approx(degrees, abs=0.2)


def test_level_lines_and_empty_pages_are_left_as_they_are() -> None:
    for picture in (page(), np.full((300, 200, 3), 255, np.uint8)):
        assert Level.of(picture).picture is picture


@pytest.mark.parametrize("picture", [skewed(page(), 4.0), photographed(page())[0]])
def test_points_of_a_levelled_page_lead_back(picture: Picture) -> None:
    level = Level.of(picture)
    points = np.array([[[123, 456], [600, 200], [700, 500], [200, 650]]], np.float32)
    np.testing.assert_allclose(mapped(mapped(points, level.there), level.back), points, atol=1e-2)


def test_the_paper_in_a_photo_is_found() -> None:
    photo, way = photographed(page())
    found = outline(photo)
    assert found is not None
    corners = np.array([[0, 0], [1000, 0], [1000, 800], [0, 800]], np.float32)
    np.testing.assert_allclose(found, mapped(corners, way), atol=8)


def test_what_is_paper_all_over_has_no_outline() -> None:
    dark = np.full((500, 400, 3), 70, np.uint8)
    for picture in (page(), sealed(page()), skewed(page(), 5), ruled(4, 3), dark):
        assert outline(picture) is None


def test_a_red_seal_goes_and_the_print_below_it_stays() -> None:
    plain = page()
    freed = without_seals(sealed(plain), DPI)
    print_there = plain.min(axis=2) < 90
    assert (freed[print_there].max(axis=1) < 150).mean() > 0.95
    reddish = (freed[:, :, 0].astype(int) - freed[:, :, 1]) > 35
    assert reddish.mean() < 0.0005


def test_where_a_seal_was_nothing_is_brighter_than_the_paper_around() -> None:
    grey = np.minimum(page(), 235)
    assert without_seals(sealed(grey), DPI).max() <= 240


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
