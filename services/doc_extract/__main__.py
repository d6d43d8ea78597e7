"""Runs the doc_extract service: `python -m services.doc_extract`, with settings in BANKAI_DOC_EXTRACT_... variables."""

import os

# Files are parsed in processes of their own. gRPC's fork handlers would run in each before it becomes another program
# and can abort it; they are of no use to a process that only starts others. gRPC reads this when it is imported.
os.environ.setdefault("GRPC_ENABLE_FORK_SUPPORT", "0")

from bankai.process import main
from services.doc_extract.app import serve
from services.doc_extract.memory import give_back_early
from services.doc_extract.settings import DocExtractSettings

if __name__ == "__main__":
    give_back_early()
    main(DocExtractSettings, "doc_extract", serve)
