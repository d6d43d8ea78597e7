"""Draws the values of a result on the pages of its document."""

import io
from collections.abc import Iterator, Sequence
from pathlib import Path

import pypdfium2
from PIL import Image, ImageDraw, ImageFont, ImageOps, UnidentifiedImageError

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.errors import InvalidRequestError

DPI = 150
SURE = (0, 120, 60)
REVIEW = (205, 80, 0)
"""Colours of values that can be acted on, and of those that a person must confirm first."""

_POINTS = 72
_LINE = 2
_TEXT_SIZE = 16
_PAD = 3


def check_target(target: Path) -> None:
    """Refuses a file that cannot be drawn into.

    Raises:
        InvalidRequestError: USAGE.
    """
    if target.suffix.lower() not in (".pdf", ".png"):
        raise InvalidRequestError("USAGE", f"--annotate {target}: the name must end with .pdf or .png")


def annotate(data: bytes, result: pb.ExtractionResult, target: Path) -> Sequence[Path]:
    """Draws every value's boxes, each with its field and confidence.

    Args:
        data: The document.
        result: What was found in it.
        target: A .pdf, or a .png; several pages are written as name-1.png, name-2.png and so on.

    Returns:
        The files written.

    Raises:
        InvalidRequestError: The document has no pages to draw on, or the file cannot be written.
    """
    if not any(page.width for page in result.pages):
        raise InvalidRequestError("NOTHING_TO_DRAW_ON", "this kind of document has no pages; --annotate draws on pages")
    pages = [_drawn(image, page, result) for image, page in zip(_images(data), result.pages, strict=False)]
    try:
        if target.suffix.lower() == ".pdf":
            pages[0].save(target, save_all=True, append_images=pages[1:], resolution=DPI)
            return [target]
        if len(pages) == 1:
            pages[0].save(target)
            return [target]
        targets = [target.with_stem(f"{target.stem}-{page.number}") for page in result.pages]
        for page, file in zip(pages, targets, strict=False):
            page.save(file)
    except OSError as error:
        raise InvalidRequestError("USAGE", f"{target} cannot be written ({error.strerror})") from None
    return targets[: len(pages)]


def _images(data: bytes) -> Iterator[Image.Image]:
    """The pages as the file shows them."""
    if data[:1024].find(b"%PDF-") >= 0:
        document = pypdfium2.PdfDocument(data)
        try:
            for page in document:
                yield page.render(scale=DPI / _POINTS).to_pil().convert("RGB")
        finally:
            document.close()
        return
    try:
        with Image.open(io.BytesIO(data)) as image:
            for frame in range(getattr(image, "n_frames", 1)):
                image.seek(frame)
                yield ImageOps.exif_transpose(image).convert("RGB")
    except UnidentifiedImageError:
        raise InvalidRequestError(
            "NOTHING_TO_DRAW_ON", "this kind of document cannot be drawn on; PDF and images can"
        ) from None


def _drawn(image: Image.Image, page: pb.PageInfo, result: pb.ExtractionResult) -> Image.Image:
    """A page, upright, with what stands on it."""
    upright = image.rotate(-page.rotation, expand=True) if page.rotation else image
    scale = upright.width / page.width
    drawing = ImageDraw.Draw(upright)
    for value in result.values:
        colour = REVIEW if value.needs_review else SURE
        boxes = [box for place in value.evidence if place.page == page.number for box in place.boxes]
        corners = [(box.left * scale - _PAD, box.top * scale - _PAD) for box in boxes]
        for corner, box in zip(corners, boxes, strict=True):
            opposite = (box.right * scale + _PAD, box.bottom * scale + _PAD)
            drawing.rectangle((*corner, *opposite), outline=colour, width=_LINE)
        if corners:
            _label(drawing, f"{value.field_id} {value.confidence:.2f}", corners[0], colour)
    return upright


def _label(drawing: ImageDraw.ImageDraw, text: str, place: tuple[float, float], colour: tuple[int, int, int]) -> None:
    """Says above the upper left corner of a box what it is."""
    font = ImageFont.load_default(_TEXT_SIZE)
    left, top, right, bottom = drawing.textbbox(place, text, font=font, anchor="lb")
    drawing.rectangle((left - _PAD, top - _PAD, right + _PAD, bottom), fill=colour)
    drawing.text(place, text, font=font, anchor="lb", fill="white")
