"""Runs gold documents and sentences through the service's own extractor, in this process."""

import asyncio
import json
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
from services.doc_extract.evaluation.errors import errors
from services.doc_extract.evaluation.gold import GoldDocument, read_documents, read_sentences
from services.doc_extract.evaluation.scoring import Verdict, judge
from services.doc_extract.extractor import Extractor
from services.doc_extract.schema import credit
from services.doc_extract.settings import DocExtractSettings


def documents(folder: Path, errors_file: Path | None) -> dict[str, Any]:
    """The metrics of the documents of a folder.

    Args:
        folder: Documents and their gold.json.
        errors_file: Where to write what is not right, or None.

    Raises:
        BadInputError: The folder is wrong, or a document cannot be read.
        BankaiError: A model failed.
    """
    gold = read_documents(folder)
    _write(errors_file, "")  # before the long work
    verdicts = asyncio.run(_extracted([(file, file.read_bytes()) for file in gold], "extracting documents"))
    names = [str(file.relative_to(folder)) for file in gold]
    return _judged(names, list(gold.values()), verdicts, errors_file)


def sentences(file: Path, errors_file: Path | None) -> dict[str, Any]:
    """The metrics of the sentences of a file, each read as a document of its own.

    Args:
        file: The sentences.
        errors_file: Where to write what is not right, or None.

    Raises:
        BadInputError: The file is wrong.
        BankaiError: A model failed.
    """
    gold = read_sentences(file)
    _write(errors_file, "")
    verdicts = asyncio.run(_extracted([(file, each.text.encode()) for each in gold], "extracting sentences"))
    documents = [GoldDocument(fields=each.fields, flags=None) for each in gold]
    return _judged([each.text for each in gold], documents, verdicts, errors_file)


def _judged(
    names: Sequence[str], gold: Sequence[GoldDocument], verdicts: Sequence[Verdict], errors_file: Path | None
) -> dict[str, Any]:
    found = errors(zip(names, gold, verdicts, strict=True))
    _write(errors_file, "".join(json.dumps(error, ensure_ascii=False) + "\n" for error in found))
    return judge(gold, verdicts)


def _write(file: Path | None, text: str) -> None:
    if file is None:
        return
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInputError(file, None, f"cannot be written ({error.strerror})") from None


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
