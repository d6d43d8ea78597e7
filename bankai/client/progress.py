"""Construction projects: registered, followed by pictures, judged before each drawdown."""

from collections.abc import AsyncIterator, Awaitable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import grpc

from bankai.progress.v1 import progress_pb2 as pb
from bankai.progress.v1 import progress_pb2_grpc
from bankai.status import from_rpc_error

CHUNK_BYTES = 512 * 1024
CALL_TIMEOUT_S = 60.0
OBSERVE_TIMEOUT_S = 180.0

Metadata = Sequence[tuple[str, str]]
Answer = TypeVar("Answer")


class ProgressClient:
    """Registers projects, sends pictures, and asks how far they are.

    Every method raises the BankaiError that the service, the gateway or the connection ended the call with.

    Args:
        channel: To the gateway or a service.
        metadata: Sent with every call.
    """

    def __init__(self, channel: grpc.aio.Channel, metadata: Metadata = ()) -> None:
        # The generated stub is typed for both kinds of channels, and so for neither.
        self._stub: Any = progress_pb2_grpc.ProgressServiceStub(channel)
        self._metadata = metadata

    async def register(self, project: pb.Project) -> pb.Project:
        """Registers a project."""
        answer: pb.RegisterProjectResponse = await self._call(
            self._stub.RegisterProject, pb.RegisterProjectRequest(project=project)
        )
        return answer.project

    async def observe(self, config: pb.ObservationConfig, file: Path | None = None) -> pb.Observation:
        """Sends a picture, or names one: without a file, the config's uri says where it lies."""

        async def requests() -> AsyncIterator[pb.AddObservationRequest]:
            yield pb.AddObservationRequest(config=config)
            if file is None:
                return
            with file.open("rb") as stream:
                while chunk := stream.read(CHUNK_BYTES):
                    yield pb.AddObservationRequest(chunk=chunk)

        call = self._stub.AddObservation(requests(), timeout=OBSERVE_TIMEOUT_S, metadata=self._metadata)
        answer: pb.AddObservationResponse = await _answered(call)
        return answer.observation

    async def import_stac(self, request: pb.ImportStacRequest) -> AsyncIterator[pb.ImportStacResponse]:
        """Imports a catalogue: what became of each of its items, as it becomes known."""
        call = self._stub.ImportStac(request, metadata=self._metadata)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()

    async def update(self, project: pb.Project) -> pb.Project:
        """Changes a project."""
        answer: pb.UpdateProjectResponse = await self._call(
            self._stub.UpdateProject, pb.UpdateProjectRequest(project=project)
        )
        return answer.project

    async def delete(self, project_id: str) -> None:
        """Erases a project and all that is kept of it."""
        await self._call(self._stub.DeleteProject, pb.DeleteProjectRequest(project_id=project_id))

    async def projects(self, request: pb.ListProjectsRequest) -> AsyncIterator[pb.Project]:
        """Every project that a request asks for, page by page."""
        asked = pb.ListProjectsRequest()
        asked.CopyFrom(request)
        while True:
            page: pb.ListProjectsResponse = await self._call(self._stub.ListProjects, asked)
            for project in page.projects:
                yield project
            if not page.next_page_token:
                return
            asked.page_token = page.next_page_token

    async def alerts(self, request: pb.WatchAlertsRequest) -> AsyncIterator[pb.WatchAlertsResponse]:
        """Alerts as they are raised, for as long as it is iterated."""
        call = self._stub.WatchAlerts(request, metadata=self._metadata)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        finally:
            call.cancel()

    async def assess(self, request: pb.AssessRequest) -> pb.Assessment:
        """Asks how far a project was."""
        answer: pb.AssessResponse = await self._call(self._stub.Assess, request)
        return answer.assessment

    async def project(self, project_id: str) -> pb.Project:
        """A project."""
        answer: pb.GetProjectResponse = await self._call(
            self._stub.GetProject, pb.GetProjectRequest(project_id=project_id)
        )
        return answer.project

    async def timeline(self, project_id: str) -> pb.GetTimelineResponse:
        """A project's course."""
        answer: pb.GetTimelineResponse = await self._call(
            self._stub.GetTimeline, pb.GetTimelineRequest(project_id=project_id)
        )
        return answer

    async def check_drawdown(self, request: pb.CheckDrawdownRequest) -> pb.CheckDrawdownResponse:
        """Asks about a drawdown."""
        answer: pb.CheckDrawdownResponse = await self._call(self._stub.CheckDrawdown, request)
        return answer

    async def evidence(self, project_id: str, kind: pb.EvidenceKind.ValueType, observation_id: str = "") -> bytes:
        """A proof as a file."""
        request = pb.GetEvidenceRequest(project_id=project_id, observation_id=observation_id, kind=kind)
        call = self._stub.GetEvidence(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata)
        try:
            return b"".join([part.chunk async for part in call])
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None

    async def _call(self, method: Any, request: Any) -> Any:
        return await _answered(method(request, timeout=CALL_TIMEOUT_S, metadata=self._metadata))


async def _answered(call: Awaitable[Answer]) -> Answer:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from None
