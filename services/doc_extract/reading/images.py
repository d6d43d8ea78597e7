"""Image files: photos and scans, of one page or, in a TIFF, of several."""

import io
import warnings
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from bankai.errors import InvalidRequestError
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.page import PageImage, Scan

_FORMATS = ("PNG", "JPEG", "TIFF")
_PLAUSIBLE_DPI = (100.0, 1200.0)
_PAGE_INCHES = 11.69
"""Long side of an A4 page: what an image that does not tell its resolution is taken to show."""
_LONGEST = 3_600
"""Pixels of the long side that are kept: 300 dpi of an A4 page; more costs time and reads no better."""


def scans_of(data: bytes, limits: IntakeLimits) -> list[Scan]:
    """The pages of an image file, without decoding one.

    Raises:
        InvalidRequestError: FILE_CORRUPT, TOO_MANY_PAGES, IMAGE_TOO_LARGE.
    """
    with _opened(data, limits) as image:
        return [Scan(number + 1) for number in range(getattr(image, "n_frames", 1))]


def pictures_of(data: bytes, numbers: Sequence[int], limits: IntakeLimits) -> list[PageImage]:
    """Some of its pages, upright as the camera noted (EXIF).

    Raises:
        InvalidRequestError: FILE_CORRUPT, IMAGE_TOO_LARGE.
    """
    with _opened(data, limits) as image:
        return [_picture(image, number, limits) for number in numbers]


def _opened(data: bytes, limits: IntakeLimits) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is too large is told below
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
            frames = getattr(image, "n_frames", 1)
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise InvalidRequestError("FILE_CORRUPT", "the image is damaged or cut off: send it again") from None
    if frames > limits.max_pages:
        raise InvalidRequestError("TOO_MANY_PAGES", f"the TIFF has {frames} pages, more than {limits.max_pages}")
    _check(image, limits)
    return image


def _check(image: Image.Image, limits: IntakeLimits) -> None:
    width, height = image.size
    if width * height > limits.max_pixels:
        raise InvalidRequestError(
            "IMAGE_TOO_LARGE", f"the image has {width} x {height} pixels, more than {limits.max_pixels}: scale it down"
        )


def _picture(image: Image.Image, number: int, limits: IntakeLimits) -> PageImage:
    try:
        image.seek(number - 1)
        _check(image, limits)
        # A JPEG is decoded at a fraction of its size where that is enough.
        image.draft("RGB", (_LONGEST, _LONGEST))
        upright = ImageOps.exif_transpose(image).convert("RGB")
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError):
        raise InvalidRequestError("FILE_CORRUPT", f"page {number} of the image is damaged: send it again") from None
    told = image.info.get("dpi", (0.0, 0.0))[0]
    long_side = max(upright.size)
    dpi = float(told) if _PLAUSIBLE_DPI[0] <= float(told) <= _PLAUSIBLE_DPI[1] else long_side / _PAGE_INCHES
    if long_side > _LONGEST:
        upright.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
        dpi *= _LONGEST / long_side
    return PageImage(np.asarray(upright), max(1.0, dpi))
