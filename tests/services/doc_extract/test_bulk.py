"""`bankai batch extract`, killed and begun again."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql

from bankai.blobs import Blobs
from bankai.store import Database
from services.doc_extract.bulk import ExtractWork
from services.doc_extract.extractions import Extractions
from services.doc_extract.schema import credit
from services.doc_extract.schemas import SchemaBook
from services.doc_extract.settings import DocExtractSettings
from services.doc_extract.storage.schemas import SchemaStore
from services.doc_extract.submission import Result, Submission
from tests.bankai.bulk.documents import notices
from tests.services.s3 import s3

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

DOCUMENTS = 16


async def begun(folder: Path, report: str) -> asyncio.subprocess.Process:
    command = "from bankai.cli.app import main; main()"
    options = ("--channel", "credit", "--match", "n*", "--report", report, "--workers", "1")
    settings = {"BANKAI_DOC_EXTRACT_STORAGE__FOLDER": str(folder / "state"), "BANKAI_DOC_EXTRACT_BATCH__LEASE_S": "2"}
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", command, "batch", "extract", str(folder / "documents"), *options),
        env=os.environ | settings,
        stderr=asyncio.subprocess.DEVNULL,
        start_new_session=True,
    )


def outcomes(report: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in report.read_text().splitlines()] if report.exists() else []


async def test_what_was_killed_goes_on_and_repeats_nothing(tmp_path: Path) -> None:
    notices(tmp_path / "documents", DOCUMENTS)
    (tmp_path / "documents" / "nothing.pdf").touch()
    (tmp_path / "documents" / "Thumbs.db").touch()  # does not match
    report = tmp_path / "first.jsonl"
    first = await begun(tmp_path, str(report))
    while len(outcomes(report)) < 4:  # noqa: ASYNC110  # a file tells nobody
        await asyncio.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    await first.wait()
    before = [outcome for outcome in outcomes(report) if outcome["outcome"] == "done"]
    assert 0 < len(before) < DOCUMENTS

    with s3() as storage:
        bucket = storage.new_bucket()
        second = await begun(tmp_path, f"s3://{bucket}/reports/second.jsonl")
        assert await second.wait() == 1  # one file cannot be read
        lines = await Blobs(f"s3://{bucket}").get("reports/second.jsonl")
    assert lines is not None
    after = {outcome["item"]: outcome for outcome in map(json.loads, lines.splitlines())}
    assert len(after) == DOCUMENTS + 1
    assert after["nothing.pdf"]["reason"] == "FILE_EMPTY"
    counts = Counter(outcome["outcome"] for outcome in after.values())
    assert counts["done before"] >= len(before)
    assert counts["done"] + counts["done before"] == DOCUMENTS
    for outcome in before:
        assert after[outcome["item"]]["result_id"] == outcome["result_id"]
    engine = sql.create_engine(f"sqlite:///{tmp_path}/state/results.db")
    with engine.connect() as connection:
        found = sql.text("SELECT channel, count(*) FROM doc_extract_documents WHERE state = 'done' GROUP BY channel")
        assert [tuple(row) for row in connection.execute(found)] == [("credit", DOCUMENTS)]
    engine.dispose()


async def worked(work: ExtractWork, *items: str) -> list[dict[str, Any]]:
    async with work.opened() as do:
        return [await do(item) for item in items]


async def test_a_document_that_nobody_foresaw_and_one_that_was_read_by_another_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notices(tmp_path / "documents", 2)
    extract = Extractions.extract

    async def breaking(self: Extractions, asked: Submission, *arguments: Any) -> Result:
        if asked.file_name == "notice-000.txt":
            raise ZeroDivisionError
        return await extract(self, asked, *arguments)

    monkeypatch.setattr(Extractions, "extract", breaking)
    settings = DocExtractSettings.model_validate({"storage": {"folder": tmp_path / "state"}})
    work = ExtractWork(settings, str(tmp_path / "documents"), "credit", "credit")
    broken, done = await worked(work, "notice-000.txt", "notice-001.txt")
    assert (broken["outcome"], broken["reason"]) == ("failed", "INTERNAL")
    assert done["outcome"] == "done"

    database = Database(settings.storage.database)
    await SchemaBook(SchemaStore(database)).put("house", [replace(credit().fields[0], id="own", builtin=False)])
    await database.close()
    (again,) = await worked(replace(work, schema_id="house"), "notice-001.txt")
    assert (again["outcome"], again["reason"]) == ("failed", "REQUEST_ID_REUSED")
