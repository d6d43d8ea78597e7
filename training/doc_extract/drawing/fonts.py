"""Chinese fonts to draw with: TrueType files made from Noto CJK (SIL Open Font License 1.1).

PyPI's package mplfonts carries them with cubic outlines, which reportlab cannot embed. The characters of GB 2312 are
taken out of them, their outlines turned into quadratic ones, and the files kept under var/.
"""

import tempfile
from functools import cache
from pathlib import Path
from typing import Any, Literal

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont as EmbeddedFont

from training.packages import wheel
from training.paths import FONTS_DIR

Face = Literal["sans", "serif"]

PACKAGE = "mplfonts==0.0.11"
_MEMBERS: dict[Face, str] = {
    "sans": "mplfonts/fonts/NotoSansCJKsc-Regular.otf",
    "serif": "mplfonts/fonts/NotoSerifCJKsc-Regular.otf",
}
ASCENT, DESCENT = 0.88, 0.12
"""How far the square that a Chinese character fills reaches above and below the baseline, in font sizes."""
_MORE = "〇¥€£‰‱①②③④⑤⑥⑦⑧⑨⑩○□☑✓×÷±—–…·〔〕【】《》“”‘’　℃㎡"
_DROPPED = ("GSUB", "GPOS", "GDEF", "BASE", "VORG", "vhea", "vmtx", "DSIG")
_ERROR = 1.0
"""How far the quadratic outline may be from the cubic one, in thousandths of the font size."""


def font_file(face: Face) -> Path:
    """The TrueType file of a face; makes it, and the other one, where it is not there yet.

    Raises:
        subprocess.CalledProcessError: The package cannot be got.
    """
    file = FONTS_DIR / f"{face}.ttf"
    if not file.exists():
        _make()
    return file


@cache
def registered(face: Face) -> str:
    """The name under which reportlab knows a face."""
    name = f"bankai-{face}"
    pdfmetrics.registerFont(EmbeddedFont(name, str(font_file(face))))
    return name


def _make() -> None:
    FONTS_DIR.mkdir(parents=True, exist_ok=True)
    with wheel(PACKAGE) as archive, tempfile.TemporaryDirectory() as folder:
        for face, member in _MEMBERS.items():
            part = FONTS_DIR / f"{face}.part"
            _quadratic(_subset(Path(archive.extract(member, folder)))).save(part)
            part.rename(FONTS_DIR / f"{face}.ttf")


def _characters() -> list[int]:
    """GB 2312, letters in both widths and the signs that loan documents have besides."""
    codes = range(0xA1, 0xFF)
    chinese = (bytes((high, low)).decode("gb2312", errors="ignore") for high in codes for low in codes)
    return sorted({ord(letter) for letter in "".join(chinese) + _MORE} | {*range(0x20, 0x7F), *range(0xFF01, 0xFF5F)})


def _subset(source: Path) -> Any:
    font = TTFont(source)
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True)
    options.drop_tables += list(_DROPPED)
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=_characters())
    subsetter.subset(font)
    return font


def _quadratic(font: Any) -> Any:
    """The same font with TrueType outlines; after fontTools' Snippets/otf2ttf.py."""
    order, glyphs = font.getGlyphOrder(), font.getGlyphSet()
    outlines = {}
    for name in order:
        pen = TTGlyphPen(glyphs)
        glyphs[name].draw(Cu2QuPen(pen, _ERROR, reverse_direction=True))
        outlines[name] = pen.glyph()
    font["loca"], font["glyf"] = newTable("loca"), newTable("glyf")
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, outlines
    for name, glyph in outlines.items():
        glyph.recalcBounds(font["glyf"])
        font["hmtx"][name] = (font["hmtx"][name][0], getattr(glyph, "xMin", 0))
    most = font["maxp"]
    most.tableVersion = 0x00010000
    for value in (
        "maxTwilightPoints", "maxStorage", "maxFunctionDefs", "maxInstructionDefs", "maxStackElements",
        "maxSizeOfInstructions", "maxComponentElements", "maxComponentDepth", "maxPoints", "maxContours",
        "maxCompositePoints", "maxCompositeContours",
    ):  # fmt: skip
        setattr(most, value, 0)
    most.maxZones = 1
    font["post"].formatType = 3.0
    # Readers take a character's box from these: the square that it fills, not the room between lines.
    font["hhea"].ascent, font["hhea"].descent = round(ASCENT * 1000), -round(DESCENT * 1000)
    font["OS/2"].sTypoAscender, font["OS/2"].sTypoDescender = font["hhea"].ascent, font["hhea"].descent
    del font["CFF "]
    font.sfntVersion = "\000\001\000\000"
    return font
