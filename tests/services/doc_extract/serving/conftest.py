import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.longrunning import operations_pb2_grpc

from bankai.doc_extract.v1 import doc_extract_pb2 as pb
from bankai.doc_extract.v1 import doc_extract_pb2_grpc
from bankai.server import GrpcServer
from bankai.status import from_rpc_error
from services.doc_extract.app import serving
from services.doc_extract.settings import DocExtractSettings
from tests.services.doc_extract.serving.fakes import ScriptedExtractor
from tests.services.postgres import Postgres, postgres

CONTRACT = "borrower: 宏远公司\namount: 7850000.00\namount_upper: 7850001.00?\nsign_date: 2023-01-09\n".encode()


@dataclass
class Service:
    """A service that runs on the loopback, and clients of it."""

    server: GrpcServer
    port: int
    close: Callable[[], Awaitable[None]]
    channel: grpc.aio.Channel
    stub: Any
    operations: Any

    async def extract(self, request_id: str, *chunks: bytes, **config: Any) -> pb.ExtractionResult:
        requests = extract_requests(pb.ExtractConfig(request_id=request_id, **config), chunks or (CONTRACT,))
        response: pb.ExtractResponse = await self.stub.Extract(requests)
        return response.result

    async def batch(self, request_id: str, documents: dict[str, bytes]) -> Any:
        return await self.stub.BatchExtract(batch_requests(request_id, documents))


Start = Callable[..., Awaitable[Service]]


def extract_requests(config: pb.ExtractConfig, chunks: Iterable[bytes]) -> Iterator[pb.ExtractRequest]:
    yield pb.ExtractRequest(config=config)
    for chunk in chunks:
        yield pb.ExtractRequest(chunk=chunk)


def batch_requests(request_id: str, documents: dict[str, bytes]) -> Iterator[pb.BatchExtractRequest]:
    yield pb.BatchExtractRequest(config=pb.BatchConfig(request_id=request_id))
    for document, data in documents.items():
        yield pb.BatchExtractRequest(document=pb.ExtractConfig(request_id=document))
        yield pb.BatchExtractRequest(chunk=data[: len(data) // 2])
        yield pb.BatchExtractRequest(chunk=data[len(data) // 2 :])


async def refused(call: Awaitable[Any]) -> tuple[str, str]:
    """Status and reason with which a call is refused."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    return caught.value.code().name, from_rpc_error(caught.value).reason


async def faulted(call: Awaitable[Any]) -> tuple[str, str]:
    """Reason with which a call is refused, and the field that is to blame first."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    error = from_rpc_error(caught.value)
    return error.reason, error.violations[0].field


async def until(condition: Callable[[], object]) -> None:
    """Waits until a condition holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110  # fakes and files have no event
            await asyncio.sleep(0.01)


@pytest.fixture
def extractor() -> ScriptedExtractor:
    return ScriptedExtractor()


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """URL of an empty database: every test that asks for one runs on both kinds."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/state/results.db"
    server: Postgres = request.getfixturevalue("postgres_server")
    return server.new_database()


@pytest.fixture
async def start(extractor: ScriptedExtractor, tmp_path: Path, database_url: str) -> AsyncIterator[Start]:
    """Starts services with the given groups of settings; all share one scripted extractor and one folder."""
    async with AsyncExitStack() as stack:

        async def start_one(**groups: dict[str, Any]) -> Service:
            settings = DocExtractSettings.model_validate(
                {
                    "server": {"listen": "127.0.0.1:0", "drain_grace_s": 0.0},
                    "storage": {
                        "folder": tmp_path / "state",
                        "database_url": database_url,
                        **groups.pop("storage", {}),
                    },
                    "batch": {"lease_s": 1.0, "poll_s": 0.05, **groups.pop("batch", {})},
                    **groups,
                }
            )
            own = await stack.enter_async_context(AsyncExitStack())
            server = await own.enter_async_context(serving(settings, extractor))
            port = await server.start()
            own.push_async_callback(server.stop_now)
            options = (("grpc.use_local_subchannel_pool", 1),)
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}", options))
            return Service(
                server,
                port,
                own.aclose,
                channel,
                doc_extract_pb2_grpc.DocExtractServiceStub(channel),
                operations_pb2_grpc.OperationsStub(channel),
            )

        yield start_one


@pytest.fixture
async def service(start: Start) -> Service:
    return await start()
