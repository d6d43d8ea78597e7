"""The service is killed in the middle of its work, and started again."""

import asyncio
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import grpc
import pytest

from bankai.client.documents import DocExtractClient, OutgoingDocument
from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.loopback import free_ports
from tests.services.doc_extract.serving.conftest import until

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DOCUMENTS = 12


class Process:
    """The service as a process of its own, over one database and one folder."""

    def __init__(self, folder: Path, database_url: str) -> None:
        self.journal = folder / "journal"
        self.journal.touch()
        self.port = free_ports(1)[0]
        self._environment = {
            **os.environ,
            "BANKAI_DOC_EXTRACT_SERVER__LISTEN": f"127.0.0.1:{self.port}",
            "BANKAI_DOC_EXTRACT_STORAGE__FOLDER": str(folder / "state"),
            "BANKAI_DOC_EXTRACT_STORAGE__DATABASE_URL": database_url,
            "BANKAI_DOC_EXTRACT_BATCH__LEASE_S": "2",
            "BANKAI_DOC_EXTRACT_BATCH__POLL_S": "0.1",
            "BANKAI_DOC_EXTRACT_SERVER__DRAIN_GRACE_S": "0",
        }
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "tests.services.doc_extract.serving.process", str(self.journal)]
        self._process = subprocess.Popen(command, env=self._environment, stderr=subprocess.DEVNULL)

    def end(self, number: signal.Signals) -> None:
        self._process.send_signal(number)
        self._process.wait(timeout=30)

    def begun(self) -> list[str]:
        return self.journal.read_text(encoding="utf-8").splitlines()

    @asynccontextmanager
    async def client(self) -> AsyncIterator[DocExtractClient]:
        options = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_reconnect_backoff_ms", 200))
        async with grpc.aio.insecure_channel(f"127.0.0.1:{self.port}", options) as channel:
            await asyncio.wait_for(channel.channel_ready(), 60)
            yield DocExtractClient(channel)


@pytest.fixture
def process(tmp_path: Path, database_url: str) -> Iterator[Process]:
    process = Process(tmp_path, database_url)
    yield process
    process.end(signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
async def test_a_batch_finishes_and_nothing_is_there_twice(process: Process, number: signal.Signals) -> None:
    texts = [f"amount: {each}" for each in range(DOCUMENTS)]
    async with process.client() as client:
        batch = await client.start_batch([OutgoingDocument(text.encode()) for text in texts])
        await until(lambda: len(process.begun()) >= 4)
    process.end(number)
    assert len(process.begun()) < DOCUMENTS
    process.start()
    async with process.client() as client:
        async with asyncio.timeout(60):
            while not (batch := await client.wait(batch.name, 5)).done:
                pass
        assert [outcome.WhichOneof("outcome") for outcome in batch.outcomes] == ["result_id"] * DOCUMENTS
        results = [await client.result(outcome.result_id) for outcome in batch.outcomes]
    assert [result.values[0].text for result in results] == [str(each) for each in range(DOCUMENTS)]
    times = Counter(process.begun())
    assert set(times) == set(texts)
    # What was in the works when it ended was begun again; nothing that was done was.
    assert sum(times.values()) <= DOCUMENTS + 1


async def test_a_call_whose_service_died_is_answered_by_the_next_one(process: Process) -> None:
    document = OutgoingDocument(b"amount: 7", request_id="r1")
    async with process.client() as client:
        call = asyncio.create_task(client.extract(document))
        await until(process.begun)
        process.end(signal.SIGKILL)
        process.start()
        first = await call  # the client sends it again
        assert await client.extract(document) == first
    assert isinstance(first, pb.ExtractionResult)
    assert len(process.begun()) == 2
