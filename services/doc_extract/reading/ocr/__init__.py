"""Reading of scanned pages: a picture in, lines with a box for each character out."""

from services.doc_extract.reading.ocr.reader import MODELS, PageReader

__all__ = ["MODELS", "PageReader"]
