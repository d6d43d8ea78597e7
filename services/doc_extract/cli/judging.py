"""Runs gold documents and sentences through the service's own extractor, in this process."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bankai.cli.report import progress
from bankai.errors import BankaiError
from bankai.evaluation.inputs import BadInputError
from bankai.inference import open_backend
from bankai.logging import configure
from bankai.settings import LogSettings, load
from services.doc_extract.app import open_extractor
from services.doc_extract.evaluation.gold import GoldDocument, read_documents, read_sentences
from services.doc_extract.evaluation.scoring import Verdict, judge
from services.doc_extract.extractor import Extractor
from services.doc_extract.schema import credit
from services.doc_extract.settings import DocExtractSettings


def documents(folder: Path) -> dict[str, Any]:
    """The metrics of the documents of a folder.

    Raises:
        BadInputError: The folder is wrong, or a document cannot be read.
        BankaiError: A model failed.
    """
    gold = read_documents(folder)
    verdicts = asyncio.run(_extracted([(file, file.read_bytes()) for file in gold], "extracting documents"))
    return judge(list(gold.values()), verdicts)


def sentences(file: Path) -> dict[str, Any]:
    """The metrics of the sentences of a file, each read as a document of its own.

    Raises:
        BadInputError: The file is wrong.
        BankaiError: A model failed.
    """
    gold = read_sentences(file)
    verdicts = asyncio.run(_extracted([(file, each.text.encode()) for each in gold], "extracting sentences"))
    return judge([GoldDocument(fields=each.fields, flags=None) for each in gold], verdicts)


async def _extracted(items: Sequence[tuple[Path, bytes]], doing: str) -> list[Verdict]:
    settings = load(DocExtractSettings)
    configure(LogSettings(level="warning"), "doc_extract")
    backend = open_backend(settings.inference)
    try:
        async with open_extractor(settings, backend) as extractor:
            return [await _verdict(extractor, settings, *item) for item in progress(items, doing)]
    finally:
        await backend.close()


async def _verdict(extractor: Extractor, settings: DocExtractSettings, file: Path, data: bytes) -> Verdict:
    start = time.perf_counter()
    try:
        extraction = await extractor.extract(data, credit(), timeout=settings.limits.extract_s, progress=lambda _: None)
    except BankaiError as error:
        raise BadInputError(file, None, f"cannot be extracted: {error.message} ({error.reason})") from error
    return Verdict(extraction, time.perf_counter() - start)
