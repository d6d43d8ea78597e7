"""A hundred files that want to hurt, or that something has hurt."""

import io
import random
import struct
import zipfile
import zlib
from collections.abc import Iterator

from PIL import Image
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfgen.canvas import Canvas

from tests.services.doc_extract.documents import FONT, image, pdf, scan, text, word

DAMAGED = 70
_BOX = "0 0 595 842"


def archive(**members: bytes) -> bytes:
    """A ZIP; "__" in a name is a slash and "_xml" an ending."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in members.items():
            made.writestr(name.replace("__", "/").replace("_xml", ".xml"), data)
    return file.getvalue()


def pdf_of(*objects: bytes) -> bytes:
    """A PDF by hand, out of its objects; the first is the root."""
    data, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, 1):
        offsets.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    start, size = len(data), len(objects) + 1
    data += b"xref\n0 %d\n0000000000 65535 f \n" % size + b"".join(b"%010d 00000 n \n" % place for place in offsets)
    return data + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (size, start)


def raw_pdf(content: bytes, *, box: str = _BOX, kids: int = 1) -> bytes:
    """A PDF of pages with one deflated content stream."""
    stream = zlib.compress(content, 9)
    return pdf_of(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{' '.join(['3 0 R'] * kids)}] /Count {kids} >>".encode(),
        f"<< /Type /Page /Parent 2 0 R /MediaBox [{box}] /Contents 4 0 R >>".encode(),
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(stream), stream),
    )


def letters_apart() -> bytes:
    """A page of characters each drawn by itself in a font that is not there: PDFium knows nothing of them."""
    pdfmetrics.registerFont(UnicodeCIDFont(FONT))
    file = io.BytesIO()
    canvas = Canvas(file)
    canvas.setFont(FONT, 12)
    for number, letter in enumerate("借款人宏远机械有限公司向江城银行借款五百万元"):
        canvas.drawString(60 + 13 * number, 700, letter)
    canvas.showPage()
    canvas.save()
    return file.getvalue()


def xml_bomb() -> bytes:
    """Entities that unfold to a billion letters."""
    entities = b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    return b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY a "aaaaaaaaaa">' + entities + b"]><a>&j;</a>"


def deep_pdf(depth: int) -> bytes:
    """A tree of pages that is a chain."""
    chain = [b"<< /Type /Pages /Kids [%d 0 R] /Count 1 >>" % (number + 3) for number in range(depth)]
    return pdf_of(b"<< /Type /Catalog /Pages 2 0 R >>", *chain, b"<< /Type /Page /MediaBox [0 0 595 842] >>")


def image_pdf(picture: bytes, width: int, height: int, filters: str) -> bytes:
    """A PDF whose page is one picture, encoded as it says."""
    return pdf_of(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R "
        b"/Resources << /XObject << /I 5 0 R >> >> >>",
        b"<< /Length 27 >>\nstream\nq 595 0 0 842 0 0 cm /I Do Q\nendstream",
        b"<< /Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceRGB /BitsPerComponent 8 "
        b"/Filter /%s /Length %d >>\nstream\n%s\nendstream" % (width, height, filters.encode(), len(picture), picture),
    )


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes that decodes to many megabytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packed = zlib.compressobj(9)
    rows = b"".join(packed.compress(bytes(1 + 3 * width)) for _ in range(height)) + packed.flush()
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def tiff(pages: int) -> bytes:
    """A TIFF of many small pages."""
    file = io.BytesIO()
    first, *others = [Image.new("L", (8, 8), number % 256) for number in range(pages)]
    first.save(file, "TIFF", save_all=True, append_images=others)
    return file.getvalue()


def built() -> Iterator[tuple[str, bytes]]:
    """Files of a kind, each with its name."""
    yield "chain of pages", deep_pdf(3000)
    yield "circle of pages", pdf_of(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R] /Count 9 >>")
    yield "no pages", pdf_of(b"<< /Type /Catalog >>")
    yield "page of no size", raw_pdf(b"", box="0 0 0 0")
    yield "page of strange numbers", raw_pdf(b"", box="nan -inf 1e99 0")
    yield "page upside down", raw_pdf(b"BT ET", box="595 842 0 0")
    yield "many letters", raw_pdf((b"BT /F1 1 Tf (" + b"a" * 30_000 + b") Tj ET\n") * 2000)
    yield "many states", raw_pdf(b"q " * 400_000)
    yield "many paths", raw_pdf(b"0 0 m 9 9 l S " * 300_000)
    yield "picture bomb in a PDF", image_pdf(zlib.compress(bytes(120_000_000), 9), 20_000, 2_000, "FlateDecode")
    yield "picture of noise in a PDF", image_pdf(random.Random(5).randbytes(4000), 900, 900, "DCTDecode")
    yield "JPX of noise", image_pdf(random.Random(6).randbytes(4000), 900, 900, "JPXDecode")
    yield "JBIG2 of noise", image_pdf(random.Random(7).randbytes(4000), 900, 900, "JBIG2Decode")
    yield "three hundred and one pages", raw_pdf(b"", kids=301)
    yield "PNG bomb", png_bomb(20_000, 2_900)
    yield "PNG of too many pixels", png_bomb(30_000, 3_000)
    yield "TIFF of four hundred pages", tiff(400)
    yield "PNG that is cut off", image(size=(900, 900), noisy=True)[:40_000]
    yield "RTF", b"{\\rtf1 x}"
    yield "old Office file", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
    yield "archive in an archive", archive(word__document_xml=archive(a=bytes(100_000)))
    yield (
        "DOCX with entities from outside",
        archive(
            word__document_xml=b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><a>&x;</a>'
        ),
    )
    yield "DOCX with an XML bomb", archive(word__document_xml=xml_bomb())
    yield "DOCX of nested tags", archive(word__document_xml=b"<a>" * 200_000)
    yield "one line", b"a" * 2_900_000
    yield "too long a text", b"a b\n" * 1_000_000
    yield "halves of pairs", "借款\ud800".encode("utf-16-le", "surrogatepass")
    yield "UTF-16", "借款人：张三".encode("utf-16")
    yield "control characters", bytes(range(1, 32)) * 50
    yield "table of a million cells", b"\t".join([b"1"] * 1_000_000)


def damaged(count: int = DAMAGED) -> Iterator[tuple[str, bytes]]:
    """Good files in which bytes were flipped, and which were cut off."""
    chance = random.Random(11)
    goods = {"PDF": pdf(), "DOCX": word(), "scan": scan(as_pdf=True), "PNG": scan(), "text": text()}
    for number in range(count):
        name = list(goods)[number % len(goods)]
        good = goods[name]
        bad = bytearray(good[: chance.randrange(10, len(good))] if chance.random() < 0.4 else good)
        for _ in range(chance.choice((1, 5, 40, 400))):
            bad[chance.randrange(len(bad))] = chance.randrange(256)
        yield f"damaged {name} {number}", bytes(bad)
