import io

import numpy as np
import pytest
from PIL import Image

from bankai.errors import InvalidRequestError
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.page import Scan
from services.doc_extract.reading.images import pictures_of, scans_of
from tests.services.doc_extract.documents import image

LIMITS = IntakeLimits()


def test_a_tiff_has_as_many_pages_as_frames() -> None:
    file = io.BytesIO()
    first, second = Image.new("L", (300, 400), 255), Image.new("L", (200, 100), 0)
    first.save(file, "TIFF", save_all=True, append_images=[second])
    assert scans_of(file.getvalue(), LIMITS) == [Scan(1), Scan(2)]
    (picture,) = pictures_of(file.getvalue(), [2], LIMITS)
    assert picture.pixels.shape == (100, 200, 3)


def test_a_photo_is_turned_as_the_camera_noted() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(file, "JPEG", exif=exif)
    (picture,) = pictures_of(file.getvalue(), [1], LIMITS)
    assert picture.pixels.shape == (400, 300, 3)


@pytest.mark.parametrize(("told", "dpi"), [(200, 200.0), (72, 1754 / 11.69)])
def test_resolution_is_believed_where_it_is_plausible(told: int, dpi: float) -> None:
    (picture,) = pictures_of(image(size=(1240, 1754), dpi=told), [1], LIMITS)
    assert picture.dpi == pytest.approx(dpi, rel=0.01)


def test_a_large_photo_is_scaled_down_and_keeps_its_size_on_paper() -> None:
    (picture,) = pictures_of(image(size=(3000, 6000), dpi=600), [1], LIMITS)
    assert max(picture.pixels.shape) == 3600
    assert picture.pixels.shape[0] / picture.dpi == pytest.approx(10.0, rel=0.01)


def test_pixels_are_counted_before_they_are_decoded() -> None:
    with pytest.raises(InvalidRequestError) as error:
        scans_of(image(size=(9000, 9000)), LIMITS)
    assert error.value.reason == "IMAGE_TOO_LARGE"


def test_a_picture_that_is_cut_off_is_refused_where_it_is_decoded() -> None:
    data = image(size=(500, 500), noisy=True)
    with pytest.raises(InvalidRequestError) as error:
        pictures_of(data[: len(data) // 2], [1], LIMITS)
    assert error.value.reason == "FILE_CORRUPT"


def test_pixels_come_as_they_are() -> None:
    (picture,) = pictures_of(image(size=(3, 2)), [1], LIMITS)
    np.testing.assert_array_equal(picture.pixels, np.full((2, 3, 3), 255, np.uint8))
