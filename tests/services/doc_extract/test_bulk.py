"""`bankai batch extract`, killed and begun again."""

import asyncio
import json
import os
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sql

from tests.bankai.bulk.documents import notices

pytestmark = [pytest.mark.slow, pytest.mark.timeout(240)]

DOCUMENTS = 16


async def begun(folder: Path, report: str) -> asyncio.subprocess.Process:
    command = "from bankai.cli.app import main; main()"
    options = ("--channel", "credit", "--report", str(folder / report), "--workers", "1")
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
    first = await begun(tmp_path, "first.jsonl")
    while len(outcomes(tmp_path / "first.jsonl")) < 4:  # noqa: ASYNC110  # a file tells nobody
        await asyncio.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    await first.wait()
    before = [outcome for outcome in outcomes(tmp_path / "first.jsonl") if outcome["outcome"] == "done"]
    assert 0 < len(before) < DOCUMENTS

    second = await begun(tmp_path, "second.jsonl")
    assert await second.wait() == 1  # one file cannot be read
    after = {outcome["item"]: outcome for outcome in outcomes(tmp_path / "second.jsonl")}
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
