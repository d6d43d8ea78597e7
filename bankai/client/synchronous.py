"""The client for programs without an event loop: the other one, on a loop in a thread of its own."""

import asyncio
import threading
from collections.abc import AsyncIterator, Coroutine, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Self, TypeVar

from bankai.client.asynchronous import AsyncClient
from bankai.client.calls import CallClient
from bankai.client.connecting import Access
from bankai.client.documents import Batch, DocExtractClient, OutgoingDocument, Sent
from bankai.client.intent import IntentClient
from bankai.client.progress import ProgressClient
from bankai.doc_extract.v1 import doc_extract_pb2 as documents_pb
from bankai.intent.v1 import intent_pb2 as intent_pb
from bankai.progress.v1 import progress_pb2 as progress_pb

Answer = TypeVar("Answer")


class _Loop:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="bankai-client", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, Answer]) -> Answer:
        """Waits for what a coroutine returns; an interrupt meanwhile cancels it."""
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def each(self, items: AsyncIterator[Answer]) -> Iterator[Answer]:
        """What an async iterator yields, as it comes; it is closed when nobody listens any more."""
        missing = object()

        async def following() -> Any:
            return await anext(items, missing)

        async def closed() -> None:
            close = getattr(items, "aclose", None)
            if close is not None:
                await close()

        try:
            while (item := self.run(following())) is not missing:
                yield item
        finally:
            self.run(closed())

    def close(self) -> None:
        """Ends it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class Call:
    """A live call; see `bankai.client.calls.CallClient`. A context manager."""

    def __init__(self, loop: _Loop, call: CallClient) -> None:
        self._loop = loop
        self._call = call

    def __enter__(self) -> Self:
        self._loop.run(self._call.__aenter__())
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.run(self._call.__aexit__())

    def ask(self, segment: intent_pb.Segment) -> intent_pb.SegmentAnalysis:
        """See `CallClient.ask`."""
        return self._loop.run(self._call.ask(segment))

    def finish(self) -> intent_pb.CallSummary:
        """See `CallClient.finish`."""
        return self._loop.run(self._call.finish())


class Intent:
    """See `bankai.client.intent.IntentClient`."""

    def __init__(self, loop: _Loop, client: IntentClient) -> None:
        self._loop = loop
        self._client = client

    def classify(
        self, text: str, *, context: Sequence[str] = (), language: str = "", timeout_s: float | None = None
    ) -> intent_pb.UtteranceAnalysis:
        """See `IntentClient.classify`."""
        return self._loop.run(self._client.classify(text, context=context, language=language, timeout_s=timeout_s))

    def intents(self) -> intent_pb.ListIntentsResponse:
        """See `IntentClient.intents`."""
        return self._loop.run(self._client.intents())

    def call(self, config: intent_pb.CallConfig) -> Call:
        """See `IntentClient.call`."""
        return Call(self._loop, self._client.call(config))

    def follow(
        self, config: intent_pb.CallConfig, segments: Iterable[intent_pb.Segment]
    ) -> Iterator[intent_pb.SegmentAnalysis | intent_pb.CallSummary]:
        """See `IntentClient.follow`; the segments are taken as they are answered."""
        with self.call(config) as call:
            for segment in segments:
                yield call.ask(segment)
            yield call.finish()


class Documents:
    """See `bankai.client.documents.DocExtractClient`."""

    def __init__(self, loop: _Loop, client: DocExtractClient) -> None:
        self._loop = loop
        self._client = client

    def extract(
        self, document: OutgoingDocument, *, timeout_s: float | None = None, sent: Sent | None = None
    ) -> documents_pb.ExtractionResult:
        """See `DocExtractClient.extract`; `sent` is called in another thread."""
        return self._loop.run(self._client.extract(document, timeout_s=timeout_s, sent=sent))

    def start_batch(self, documents: Sequence[OutgoingDocument], *, sent: Sent | None = None) -> Batch:
        """See `DocExtractClient.start_batch`; `sent` is called in another thread."""
        return self._loop.run(self._client.start_batch(documents, sent=sent))

    def wait(self, name: str, timeout_s: float = 15.0) -> Batch:
        """See `DocExtractClient.wait`."""
        return self._loop.run(self._client.wait(name, timeout_s))

    def cancel(self, name: str) -> None:
        """See `DocExtractClient.cancel`."""
        self._loop.run(self._client.cancel(name))

    def result(self, result_id: str) -> documents_pb.ExtractionResult:
        """See `DocExtractClient.result`."""
        return self._loop.run(self._client.result(result_id))

    def results(self, request: documents_pb.ListResultsRequest) -> Iterator[documents_pb.ResultSummary]:
        """See `DocExtractClient.results`."""
        return self._loop.each(self._client.results(request))

    def document(self, result_id: str) -> bytes:
        """See `DocExtractClient.document`."""
        return self._loop.run(self._client.document(result_id))

    def delete(self, result_id: str) -> None:
        """See `DocExtractClient.delete`."""
        self._loop.run(self._client.delete(result_id))

    def review(
        self, result: documents_pb.ExtractionResult, reviewer: str, corrections: Sequence[documents_pb.Correction]
    ) -> documents_pb.ExtractionResult:
        """See `DocExtractClient.review`."""
        return self._loop.run(self._client.review(result, reviewer, corrections))

    def schemas(self, schema_id: str = "", *, all_versions: bool = False) -> Sequence[documents_pb.Schema]:
        """See `DocExtractClient.schemas`."""
        return self._loop.run(self._client.schemas(schema_id, all_versions=all_versions))


class Progress:
    """See `bankai.client.progress.ProgressClient`."""

    def __init__(self, loop: _Loop, client: ProgressClient) -> None:
        self._loop = loop
        self._client = client

    def register(self, project: progress_pb.Project) -> progress_pb.Project:
        """See `ProgressClient.register`."""
        return self._loop.run(self._client.register(project))

    def update(self, project: progress_pb.Project) -> progress_pb.Project:
        """See `ProgressClient.update`."""
        return self._loop.run(self._client.update(project))

    def delete(self, project_id: str) -> None:
        """See `ProgressClient.delete`."""
        self._loop.run(self._client.delete(project_id))

    def projects(self, request: progress_pb.ListProjectsRequest) -> Iterator[progress_pb.Project]:
        """See `ProgressClient.projects`."""
        return self._loop.each(self._client.projects(request))

    def observe(self, config: progress_pb.ObservationConfig, file: Path | None = None) -> progress_pb.Observation:
        """See `ProgressClient.observe`."""
        return self._loop.run(self._client.observe(config, file))

    def assess(self, request: progress_pb.AssessRequest) -> progress_pb.Assessment:
        """See `ProgressClient.assess`."""
        return self._loop.run(self._client.assess(request))

    def timeline(self, project_id: str) -> progress_pb.GetTimelineResponse:
        """See `ProgressClient.timeline`."""
        return self._loop.run(self._client.timeline(project_id))

    def check_drawdown(self, request: progress_pb.CheckDrawdownRequest) -> progress_pb.CheckDrawdownResponse:
        """See `ProgressClient.check_drawdown`."""
        return self._loop.run(self._client.check_drawdown(request))

    def evidence(self, project_id: str, kind: progress_pb.EvidenceKind.ValueType, observation_id: str = "") -> bytes:
        """See `ProgressClient.evidence`."""
        return self._loop.run(self._client.evidence(project_id, kind, observation_id))

    def alerts(self, request: progress_pb.WatchAlertsRequest) -> Iterator[progress_pb.WatchAlertsResponse]:
        """See `ProgressClient.alerts`."""
        return self._loop.each(self._client.alerts(request))


class Client:
    """All services behind a gateway. A context manager, or closed by `close`; threads may share it.

    Not for a process that runs an event loop with grpc.aio of its own: there `AsyncClient` belongs.

    Args:
        access: Where the gateway is and how to be let in.

    Attributes:
        intent: What callers want and feel.
        documents: Fields of credit documents.
        progress: Construction projects.
    """

    def __init__(self, access: Access) -> None:
        self._loop = _Loop()

        async def connected() -> AsyncClient:
            return AsyncClient(access)

        try:
            self._client = self._loop.run(connected())
        except BaseException:
            self._loop.close()
            raise
        self.intent = Intent(self._loop, self._client.intent)
        self.documents = Documents(self._loop, self._client.documents)
        self.progress = Progress(self._loop, self._client.progress)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection; calls under way end."""
        self._loop.run(self._client.close())
        self._loop.close()
