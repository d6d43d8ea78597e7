"""What a file is, by its content: names and declared types are not asked."""

import io
import zipfile
from enum import StrEnum

from bankai.errors import InvalidRequestError
from services.doc_extract.intake.limits import IntakeLimits

_PDF = b"%PDF-"
_PDF_WITHIN = 1024
"""Readers accept a PDF whose header comes a little late (ISO 32000-1, annex H)."""
_ZIP = b"PK\x03\x04"
_IMAGES = (b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"II*\x00", b"MM\x00*")
_FOREIGN = (
    (b"BM", "a BMP image"),
    (b"GIF8", "a GIF image"),
    (b"RIFF", "a RIFF file"),
    (b"MZ", "a program"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an old Office file"),
    (b"{\\rtf", "an RTF file"),
    (b"%!PS", "a PostScript file"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7z archive"),
    (b"Rar!", "a RAR archive"),
)
_MARKUP = (b"<!doctype", b"<html", b"<script", b"<svg", b"<?xml")
_DOCX_MEMBER = "word/document.xml"


class Media(StrEnum):
    """What can be read."""

    PDF = "pdf"
    DOCX = "docx"
    IMAGE = "image"
    TEXT = "text"


def media_of(data: bytes, limits: IntakeLimits) -> Media:
    """Tells what a file is.

    Raises:
        InvalidRequestError: FILE_EMPTY, FILE_TOO_LARGE, UNSUPPORTED_FILE_TYPE, FILE_TYPE_AMBIGUOUS for a file that is
            several things at once, FILE_CORRUPT or ARCHIVE_TOO_LARGE.
    """
    if not data.strip():
        raise InvalidRequestError("FILE_EMPTY", "the file is empty: send the document's bytes")
    if len(data) > limits.max_bytes:
        raise InvalidRequestError("FILE_TOO_LARGE", f"the file is larger than {limits.max_bytes} bytes: split it")
    head = data[:_PDF_WITHIN]
    is_pdf, is_zip = _PDF in head, data.startswith(_ZIP)
    is_image = data.startswith(_IMAGES)
    foreign = next((name for magic, name in _FOREIGN if data.startswith(magic)), None)
    markup = head.lstrip().lower().startswith(_MARKUP)
    if is_pdf and (is_zip or is_image or foreign or markup or _zip_at_end(data)):
        raise InvalidRequestError("FILE_TYPE_AMBIGUOUS", "the file is a PDF and something else: send a plain PDF")
    if is_pdf:
        return Media.PDF
    if is_image:
        return Media.IMAGE
    if is_zip:
        _check_archive(data, limits)
        return Media.DOCX
    if foreign or markup:
        name = foreign or "a web page or XML"
        raise InvalidRequestError(
            "UNSUPPORTED_FILE_TYPE", f"the file is {name}; PDF, DOCX, plain text, PNG, JPEG and TIFF can be read"
        )
    return Media.TEXT


def _zip_at_end(data: bytes) -> bool:
    return b"PK\x05\x06" in data[-66_000:]


def _check_archive(data: bytes, limits: IntakeLimits) -> None:
    """Looks at an archive's directory only: what it promises is checked before anything is unpacked."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError, EOFError):
        raise InvalidRequestError(
            "FILE_CORRUPT", "the archive's directory cannot be read: send the file again"
        ) from None
    if len(members) > limits.max_archive_members or sum(m.file_size for m in members) > limits.max_archive_bytes:
        raise InvalidRequestError("ARCHIVE_TOO_LARGE", "the DOCX unpacks to more than is allowed")
    if any(member.flag_bits & 1 for member in members):
        raise InvalidRequestError("FILE_ENCRYPTED", "the file is protected by a password: send it without")
    if _DOCX_MEMBER not in {member.filename for member in members}:
        raise InvalidRequestError(
            "UNSUPPORTED_FILE_TYPE", "the archive is no DOCX; PDF, DOCX, plain text, PNG, JPEG and TIFF can be read"
        )
