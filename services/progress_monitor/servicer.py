"""The API of the progress_monitor service: message in, domain call, message out."""

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import grpc
from google.longrunning import operations_pb2

from bankai.errors import InvalidRequestError, NotFoundError
from bankai.interceptors import deadline
from bankai.progress.v1 import progress_pb2 as pb
from bankai.progress.v1 import progress_pb2_grpc
from bankai.requests import check_request_id, without_idling
from bankai.timestamps import seconds
from services.progress_monitor import converters
from services.progress_monitor.aoi import parse_aoi
from services.progress_monitor.assessing import Assessing
from services.progress_monitor.importing import Importing
from services.progress_monitor.meaning.assessment import check_drawdown
from services.progress_monitor.observing import Observing, Origin, Picture
from services.progress_monitor.photos.photo import SitePhoto, distance_to, doubts
from services.progress_monitor.photos.reader import PhotoReader
from services.progress_monitor.pixels import PixelStore
from services.progress_monitor.proving import Proving
from services.progress_monitor.rescanning import Rescanning
from services.progress_monitor.settings import LimitSettings
from services.progress_monitor.sources.roots import Roots
from services.progress_monitor.spool import Spooled, named, spooled
from services.progress_monitor.storage.alerts import AlertStore
from services.progress_monitor.storage.observations import ObservationStore
from services.progress_monitor.storage.projects import ProjectStore
from services.progress_monitor.storage.rescans import RescanStore

NAME = pb.DESCRIPTOR.services_by_name["ProgressService"].full_name
"""Full name of the service."""

Context = grpc.aio.ServicerContext[Any, Any]

_CHUNK = 1 << 20
_PAGE = 100
_LARGEST_PAGE = 1000
_ALERT_POLL_S = 0.5
_LONGEST_WAIT_S = 60.0
_WAIT_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Parts:
    """What the service's calls stand on.

    Attributes:
        projects: Keeps projects.
        observations: Keeps what was measured.
        alerts: Keeps alerts.
        rescans: Keeps rescans.
        pixels: Keeps pixels.
        photos: Reads photos.
        observing: Measures pictures.
        importing: Imports catalogues.
        assessing: Assesses projects.
        proving: Makes proofs.
        rescanning: Works on rescans.
        limits: What callers may ask for.
        roots: Files that callers may name.
        draining: Set when the service is about to stop.
    """

    projects: ProjectStore
    observations: ObservationStore
    alerts: AlertStore
    rescans: RescanStore
    pixels: PixelStore
    photos: PhotoReader
    observing: Observing
    importing: Importing
    assessing: Assessing
    proving: Proving
    rescanning: Rescanning
    limits: LimitSettings
    roots: Roots
    draining: asyncio.Event


class ProgressServicer(progress_pb2_grpc.ProgressServiceServicer):
    """Answers the service's calls; see the proto for each.

    Args:
        parts: What they stand on.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def RegisterProject(  # noqa: D102, N802  # grpc's
        self,
        request: pb.RegisterProjectRequest,
        context: Context,  # noqa: ARG002
    ) -> pb.RegisterProjectResponse:
        kept = await self._parts.projects.add(converters.project(request.project))
        return pb.RegisterProjectResponse(project=converters.project_message(kept))

    async def UpdateProject(self, request: pb.UpdateProjectRequest, context: Context) -> pb.UpdateProjectResponse:  # noqa: ARG002, D102, N802  # grpc's
        known = await self._parts.projects.get(request.project.project_id)
        changed = converters.project(request.project, known.aoi)
        await self._parts.projects.replace(changed)
        return pb.UpdateProjectResponse(project=converters.project_message(changed))

    async def GetProject(self, request: pb.GetProjectRequest, context: Context) -> pb.GetProjectResponse:  # noqa: ARG002, D102, N802  # grpc's
        return pb.GetProjectResponse(
            project=converters.project_message(await self._parts.projects.get(request.project_id))
        )

    async def ListProjects(self, request: pb.ListProjectsRequest, context: Context) -> pb.ListProjectsResponse:  # noqa: ARG002, D102, N802  # grpc's
        size = min(request.page_size, _LARGEST_PAGE) if request.page_size > 0 else _PAGE
        found = await self._parts.projects.list(size + 1, request.page_token)
        return pb.ListProjectsResponse(
            projects=[converters.project_message(each) for each in found[:size]],
            next_page_token=found[size - 1].id if len(found) > size else "",
        )

    async def DeleteProject(self, request: pb.DeleteProjectRequest, context: Context) -> pb.DeleteProjectResponse:  # noqa: ARG002, D102, N802  # grpc's
        await self._parts.projects.delete(request.project_id)
        await self._parts.pixels.delete_project(request.project_id)
        return pb.DeleteProjectResponse()

    async def AddObservation(  # noqa: D102, N802  # grpc's
        self,
        request_iterator: AsyncIterator[pb.AddObservationRequest],
        context: Context,  # noqa: ARG002
    ) -> pb.AddObservationResponse:
        parts = self._parts
        requests = without_idling(request_iterator, parts.limits.upload_idle_s)
        first = await anext(requests, None)
        if first is None or first.WhichOneof("message") != "config":
            raise _config_required()
        config = first.config
        project = await parts.projects.get(config.project_id)
        sensor = converters.sensor(config.sensor, "config.sensor")

        async def observe(file: Spooled) -> pb.AddObservationResponse:
            picture = Picture(
                origin=Origin(file.sha256, seconds(config.acquire_time), sensor),
                path=file.path,
                bands=tuple(config.bands),
                offset=config.radiometric_offset if config.HasField("radiometric_offset") else None,
                corners=converters.corners(config.corners) if config.HasField("corners") else None,
            )
            longest = min(parts.limits.observe_s, deadline.remaining())
            observation = await parts.observing.observe(project, picture, timeout=longest)
            return pb.AddObservationResponse(observation=converters.observation_message(observation))

        if config.uri:
            async with named(await parts.roots.source(config.uri), parts.limits.image_bytes) as file:
                return await observe(file)
        async with spooled(_chunks(requests), parts.limits.image_bytes) as file:
            return await observe(file)

    async def ImportStac(  # noqa: D102, N802  # grpc's
        self,
        request: pb.ImportStacRequest,
        context: Context,  # noqa: ARG002
    ) -> AsyncIterator[pb.ImportStacResponse]:
        project = await self._parts.projects.get(request.project_id)
        catalogue = converters.catalogue(request)
        async for outcome in self._parts.importing.run(project, catalogue, timeout=deadline.remaining()):
            yield converters.import_message(outcome)

    async def AddSitePhoto(  # noqa: D102, N802  # grpc's
        self,
        request_iterator: AsyncIterator[pb.AddSitePhotoRequest],
        context: Context,  # noqa: ARG002
    ) -> pb.AddSitePhotoResponse:
        parts = self._parts
        requests = without_idling(request_iterator, parts.limits.upload_idle_s)
        first = await anext(requests, None)
        if first is None or first.WhichOneof("message") != "config":
            raise _config_required()
        project = await parts.projects.get(first.config.project_id)
        claimed = seconds(first.config.claimed_time) if first.config.HasField("claimed_time") else None
        async with spooled(_chunks(requests), parts.limits.photo_bytes) as file:
            exif = await parts.photos.read(file.path, timeout=min(parts.limits.observe_s, deadline.remaining()))
            sha256 = file.sha256
        aoi = parse_aoi(project.aoi)
        photo = SitePhoto(
            id=secrets.token_hex(16),
            project_id=project.id,
            created=time.time(),
            taken=exif.taken,
            place=exif.place,
            distance_m=distance_to(exif, aoi),
            doubts=tuple(doubts(exif, sha256, aoi, claimed, await parts.observations.photos())),
            sha256=sha256,
            fingerprint=exif.fingerprint,
        )
        await parts.observations.add_photo(photo)
        return pb.AddSitePhotoResponse(photo=converters.photo_message(photo))

    async def Assess(self, request: pb.AssessRequest, context: Context) -> pb.AssessResponse:  # noqa: ARG002, D102, N802  # grpc's
        project = await self._parts.projects.get(request.project_id)
        as_of = seconds(request.as_of) if request.HasField("as_of") else None
        found = await self._parts.assessing.assess(project, as_of, timeout=deadline.remaining())
        return pb.AssessResponse(assessment=converters.assessment_message(found, project.id))

    async def GetTimeline(self, request: pb.GetTimelineRequest, context: Context) -> pb.GetTimelineResponse:  # noqa: ARG002, D102, N802  # grpc's
        project = await self._parts.projects.get(request.project_id)
        course = await self._parts.assessing.course(project, timeout=deadline.remaining())
        return pb.GetTimelineResponse(
            points=[converters.timeline_point(each, course.beliefs.get(each.id)) for each in course.observations],
            plan=converters.curve(project.plan.curve),
            latest=converters.assessment_message(course.assessment, project.id),
        )

    async def GetEvidence(  # noqa: D102, N802  # grpc's
        self,
        request: pb.GetEvidenceRequest,
        context: Context,  # noqa: ARG002
    ) -> AsyncIterator[pb.GetEvidenceResponse]:
        kind = converters.evidence_kind(request.kind)
        project = await self._parts.projects.get(request.project_id)
        data = await self._parts.proving.prove(project, request.observation_id, kind)
        for start in range(0, len(data), _CHUNK):
            yield pb.GetEvidenceResponse(chunk=data[start : start + _CHUNK])

    async def CheckDrawdown(self, request: pb.CheckDrawdownRequest, context: Context) -> pb.CheckDrawdownResponse:  # noqa: ARG002, D102, N802  # grpc's
        project = await self._parts.projects.get(request.project_id)
        drawdown = project.drawdown(request.drawdown_id)
        if drawdown is None:
            raise NotFoundError("DRAWDOWN_NOT_FOUND", "the project has no drawdown of this id")
        as_of = seconds(request.as_of) if request.HasField("as_of") else None
        found = await self._parts.assessing.assess(project, as_of, timeout=deadline.remaining())
        check = check_drawdown(drawdown, found)
        return pb.CheckDrawdownResponse(
            decision=converters.decision_value(check.decision),
            reasons=check.reasons,
            assessment=converters.assessment_message(found, project.id),
        )

    async def WatchAlerts(  # noqa: D102, N802  # grpc's
        self,
        request: pb.WatchAlertsRequest,
        context: Context,
    ) -> AsyncIterator[pb.WatchAlertsResponse]:
        parts = self._parts
        asked = request.HasField("since")
        since = seconds(request.since) if asked else 0.0
        number = 0 if asked else await parts.alerts.newest()
        await context.send_initial_metadata(())  # says that from here on none is missed
        while not parts.draining.is_set():
            found = await parts.alerts.after(number, since, request.project_id)
            for raised in found:
                number = raised.number
                yield pb.WatchAlertsResponse(
                    alert=converters.alert_message(raised.alert, raised.project_id, raised.time)
                )
            if not found:  # other processes raise alerts, too: only the store knows them all
                await asyncio.sleep(_ALERT_POLL_S)

    async def RescanPortfolio(self, request: pb.RescanPortfolioRequest, context: Context) -> operations_pb2.Operation:  # noqa: ARG002, D102, N802  # grpc's
        check_request_id(request.request_id, "request_id")
        rescan = await self._parts.rescans.start(request.request_id)
        self._parts.rescanning.wake()
        return converters.rescan_message(rescan)

    async def GetRescan(self, request: pb.GetRescanRequest, context: Context) -> operations_pb2.Operation:  # noqa: ARG002, D102, N802  # grpc's
        rescan_id = request.name.removeprefix(converters.RESCAN_PREFIX)
        wait = min(request.wait.ToMicroseconds() / 1_000_000, _LONGEST_WAIT_S)
        end = time.monotonic() + wait
        while True:
            rescan = await self._parts.rescans.get(rescan_id)
            if rescan.done == rescan.projects or time.monotonic() >= end or self._parts.draining.is_set():
                return converters.rescan_message(rescan)
            await asyncio.sleep(_WAIT_POLL_S)


async def _chunks(
    requests: AsyncIterator[pb.AddObservationRequest] | AsyncIterator[pb.AddSitePhotoRequest],
) -> AsyncIterator[bytes]:
    async for request in requests:
        if request.WhichOneof("message") != "chunk":
            raise InvalidRequestError("CONFIG_REPEATED", "every message after the config must be a chunk")
        yield request.chunk


def _config_required() -> InvalidRequestError:
    return InvalidRequestError("CONFIG_REQUIRED", "the first message must be the config")
