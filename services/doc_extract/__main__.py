"""Runs the doc_extract service: `python -m services.doc_extract`, with settings in BANKAI_DOC_EXTRACT_... variables."""

from bankai.process import main
from services.doc_extract.app import serve
from services.doc_extract.settings import DocExtractSettings

if __name__ == "__main__":
    main(DocExtractSettings, "doc_extract", serve)
