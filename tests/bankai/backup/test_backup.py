"""What the services keep, copied while they run, lost, and put back where they go on with it."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from bankai.backup import backup
from bankai.backup.holdings import Holdings
from bankai.backup.manifest import read
from bankai.doc_extract.v1 import doc_extract_pb2 as doc
from bankai.doc_extract.v1 import doc_extract_pb2_grpc
from bankai.errors import ConflictError, FaultError, InvalidRequestError, NotFoundError
from bankai.progress.v1 import progress_pb2 as progress
from services.doc_extract import holdings as doc_extract_holdings
from services.doc_extract.app import serving
from services.doc_extract.settings import DocExtractSettings
from services.progress_monitor import holdings as progress_holdings
from tests.services.doc_extract.serving.conftest import CONTRACT, extract_requests
from tests.services.doc_extract.serving.fakes import ScriptedExtractor
from tests.services.postgres import Postgres, postgres, programs
from tests.services.progress_monitor.serving import project, running

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("postgres")) as started, pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{programs()}{os.pathsep}{os.environ['PATH']}")
        yield started


class Place:
    """Where both services keep what they keep: two files, or one database of PostgreSQL that they share."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder = folder
        self.url = url

    @property
    def holdings(self) -> dict[str, Holdings]:
        results = self.url or f"sqlite:///{self.folder}/doc_extract/results.db"
        projects = self.url or f"sqlite:///{self.folder}/progress/projects.db"
        return {
            "doc_extract": Holdings(results, f"{self.folder}/doc_extract/documents", doc_extract_holdings.references),
            "progress_monitor": Holdings(projects, f"{self.folder}/progress/pixels", progress_holdings.references),
        }


@pytest.fixture(params=["sqlite", "postgresql"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Place, Place]:
    """Where the services are, and where they are to go on."""
    urls = ("", "")
    if request.param == "postgresql":
        database: Postgres = request.getfixturevalue("server")
        urls = (database.new_database(), database.new_database())
    return Place(tmp_path / "old", urls[0]), Place(tmp_path / "new", urls[1])


@asynccontextmanager
async def both(place: Place) -> AsyncIterator[tuple[Any, Any]]:
    """Stubs of doc_extract and progress_monitor, which run there."""
    storage = {"folder": place.folder / "doc_extract", "database_url": place.url}
    settings = DocExtractSettings.model_validate(
        {"server": {"listen": "127.0.0.1:0", "drain_grace_s": 0.0}, "storage": storage}
    )
    async with (
        running(place.folder / "progress", place.url) as monitor,
        serving(settings, ScriptedExtractor()) as extracting,
    ):
        port = await extracting.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield doc_extract_pb2_grpc.DocExtractServiceStub(channel), monitor
        await extracting.stop_now()


async def everything(extracting: Any, monitor: Any) -> list[object]:
    """All answers that the services can give of what they keep."""
    listed = await extracting.ListResults(doc.ListResultsRequest())
    answers: list[object] = [listed]
    for summary in listed.results:
        answers.append(await extracting.GetResult(doc.GetResultRequest(result_id=summary.result_id)))
        chunks = [each async for each in extracting.GetDocument(doc.GetDocumentRequest(result_id=summary.result_id))]
        answers.append(b"".join(chunk.chunk for chunk in chunks))
    answers.append(await monitor.client.timeline("p1"))
    answers.append(await monitor.client.evidence("p1", progress.EVIDENCE_KIND_OVERLAY_PNG))
    return answers


async def filled(extracting: Any, monitor: Any) -> None:
    for number in range(20):
        config = doc.ExtractConfig(request_id=f"r{number}", file_name=f"合同 {number}.txt")
        response = await extracting.Extract(extract_requests(config, (CONTRACT + bytes([65 + number]),)))
    confirmed = [doc.Correction(confirm=doc.Confirm(value_id=3))]
    await extracting.ReviewResult(
        doc.ReviewResultRequest(result_id=response.result.result_id, reviewer="li.si", corrections=confirmed)
    )
    await monitor.client.register(project())
    for number in (0, 12, 23):
        await monitor.observe(number)


async def test_all_is_as_it_was_after_a_restore(places: tuple[Place, Place], tmp_path: Path) -> None:
    old, new = places
    copy = tmp_path / "backup"
    async with both(old) as services:
        await filled(*services)
        before = await everything(*services)
        made = await backup.create(copy, old.holdings, lambda: None, with_blobs=True)  # while they run
    assert len(made.databases) == (1 if old.url else 2)
    assert {each.component: len(each.hashes) for each in made.blobs} == {"doc_extract": 20, "progress_monitor": 6}
    assert not any(each.missing or each.damaged for each in made.blobs)
    assert await backup.verify(copy, lambda: None) == []
    shutil.rmtree(old.folder)

    await backup.restore(copy, new.holdings, lambda: None)
    async with both(new) as services:
        assert await everything(*services) == before
        await services[1].observe(6)  # and they go on
    with pytest.raises(ConflictError, match="not empty"):
        await backup.restore(copy, new.holdings, lambda: None)


async def test_what_is_lost_or_has_changed_is_told(tmp_path: Path) -> None:
    place, copy = Place(tmp_path / "old", ""), tmp_path / "backup"
    async with both(place) as services:
        await filled(*services)
    lost, changed, *_ = sorted((place.folder / "doc_extract" / "documents").rglob("*"))
    lost.unlink()
    changed.write_bytes(b"something else")
    made = {
        each.component: each
        for each in (await backup.create(copy, place.holdings, lambda: None, with_blobs=True)).blobs
    }
    assert await backup.check(place.holdings, lambda: None) == sorted(
        [f"doc_extract: {lost.name} is missing", f"doc_extract: {changed.name} is damaged"]
    )
    assert made["doc_extract"].missing == (lost.name,)
    assert made["doc_extract"].damaged == (changed.name,)

    (copy / "progress_monitor.sqlite").write_bytes(b"")
    (copy / "doc_extract" / "blobs" / changed.name).unlink()
    problems = await backup.verify(copy, lambda: None)
    assert problems == [
        "progress_monitor.sqlite is missing or has changed",
        f"doc_extract/blobs/{changed.name} is missing or has changed",
    ]
    with pytest.raises(InvalidRequestError) as caught:
        await backup.restore(copy, Place(tmp_path / "new", "").holdings, lambda: None)
    assert caught.value.reason == "BACKUP_INVALID"
    assert not (tmp_path / "new").exists()
    (copy / "manifest.json").unlink()
    with pytest.raises(InvalidRequestError, match="no whole backup"):
        read(copy)


async def test_what_cannot_be_copied_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Postgres) -> None:
    nowhere = Place(tmp_path / "nowhere", "")
    with pytest.raises(NotFoundError, match=r"results\.db"):
        await backup.create(tmp_path / "a", nowhere.holdings, lambda: None, with_blobs=True)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    with pytest.raises(ConflictError):
        await backup.create(tmp_path / "full", nowhere.holdings, lambda: None, with_blobs=True)
    monkeypatch.setenv("PATH", "")
    there = Place(tmp_path / "there", server.new_database())
    with pytest.raises(FaultError, match="pg_dump is not installed"):
        await backup.create(tmp_path / "b", there.holdings, lambda: None, with_blobs=True)


async def test_the_commands(tmp_path: Path) -> None:
    place = Place(tmp_path / "old", "")
    async with both(place) as services:
        await filled(*services)

    async def bankai(*arguments: str, state: Path) -> tuple[int, dict[str, Any]]:
        settings = {
            "BANKAI_DOC_EXTRACT_STORAGE__FOLDER": f"{state}/doc_extract",
            "BANKAI_PROGRESS_MONITOR_STORAGE__FOLDER": f"{state}/progress",
        }
        command = [sys.executable, "-c", "from bankai.cli.app import main; main()", "backup", *arguments]
        process = await asyncio.create_subprocess_exec(
            *command, env=os.environ | settings, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
        )
        out, _ = await process.communicate()
        return process.returncode or 0, json.loads(out.splitlines()[-1])

    copy = str(tmp_path / "backup")
    assert await bankai("create", copy, state=place.folder) == (0, {"databases": 2, "blobs": 26, "problems": 0})
    assert await bankai("verify", copy, state=place.folder) == (0, {"problems": 0})
    code, said = await bankai("restore", copy, state=tmp_path / "new")
    assert (code, said["blobs"]) == (0, 26)
    assert sorted(file.name for file in (tmp_path / "new" / "doc_extract").iterdir()) == ["documents", "results.db"]
