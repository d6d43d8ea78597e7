"""Round seals of companies and banks."""

import math

from PIL import Image, ImageDraw, ImageFont

from training.doc_extract.drawing.fonts import font_file

DIAMETER = 113.0
"""In points: 4 cm, as companies' seals have."""
_OPACITY = 0.78


def seal_image(name: str, colour: tuple[int, int, int], pixels: int = 500) -> Image.Image:
    """A seal with a star in the middle and a name on its rim.

    Args:
        name: What stands on the rim.
        colour: Red, green, blue.
        pixels: Its diameter.

    Returns:
        With transparency where paper shows through.
    """
    image = Image.new("RGBA", (pixels, pixels), (*colour, 0))
    ink = (*colour, round(255 * _OPACITY))
    draw = ImageDraw.Draw(image)
    width = pixels // 28
    draw.ellipse((width, width, pixels - width, pixels - width), outline=ink, width=width)
    _star(draw, pixels / 2, pixels * 0.16, ink)
    font = ImageFont.truetype(str(font_file("serif")), round(pixels * min(0.13, 1.9 / len(name))))
    span = min(290.0, 26.0 * len(name))
    for place, letter in enumerate(name):
        angle = span * (place / max(1, len(name) - 1) - 0.5) if len(name) > 1 else 0.0
        _letter(image, letter, font, angle, ink)
    return image


def _star(draw: ImageDraw.ImageDraw, centre: float, radius: float, ink: tuple[int, ...]) -> None:
    points = []
    for corner in range(10):
        reach = radius if corner % 2 == 0 else radius * 0.382
        angle = math.radians(36 * corner - 90)
        points.append((centre + reach * math.cos(angle), centre + reach * math.sin(angle)))
    draw.polygon(points, fill=ink)


def _letter(image: Image.Image, letter: str, font: ImageFont.FreeTypeFont, angle: float, ink: tuple[int, ...]) -> None:
    """One letter on the rim, as many degrees clockwise from the top."""
    size = round(font.size * 1.5)
    tile = Image.new("RGBA", (size, size), (*ink[:3], 0))
    ImageDraw.Draw(tile).text((size / 2, size / 2), letter, font=font, fill=ink, anchor="mm", stroke_width=1)
    tile = tile.rotate(-angle, Image.Resampling.BICUBIC)
    reach, middle = image.width * 0.38, image.width / 2
    x = middle + reach * math.sin(math.radians(angle)) - size / 2
    y = middle - reach * math.cos(math.radians(angle)) - size / 2
    image.alpha_composite(tile, (max(0, round(x)), max(0, round(y))))
