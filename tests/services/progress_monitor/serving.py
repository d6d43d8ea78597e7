"""The service on the loopback with the shipped models, and the sample site's pictures."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from bankai.client.progress import ProgressClient
from bankai.inference import open_backend
from bankai.progress.v1 import progress_pb2 as pb
from bankai.progress.v1 import progress_pb2_grpc
from bankai.settings import InferenceSettings, ServerSettings
from services.progress_monitor.app import serving
from services.progress_monitor.settings import (
    LimitSettings,
    ProgressMonitorSettings,
    RescanSettings,
    StorageSettings,
)
from services.progress_monitor.site_files import SiteFile, read_site

SAMPLE = Path(str(files("services.progress_monitor.cli"))) / "samples" / "site"


@cache
def sample() -> SiteFile:
    return read_site(SAMPLE)


def stamp(seconds: float) -> Timestamp:
    return Timestamp(seconds=int(seconds))


def project(project_id: str = "p1", **fields: Any) -> pb.Project:
    plan = [pb.CurvePoint(time=stamp(point.time), progress=point.progress) for point in sample().plan]
    return pb.Project(project_id=project_id, aoi_geojson=sample().aoi, plan=plan, **fields)


@dataclass
class Service:
    """A running service, and clients of it."""

    stub: Any
    client: ProgressClient
    address: str = ""

    async def observe(self, number: int, project_id: str = "p1", **config: Any) -> pb.Observation:
        """Sends one of the sample's pictures."""
        picture = sample().pictures[number]
        asked: dict[str, Any] = {"acquire_time": stamp(picture.time), "sensor": pb.SENSOR_SENTINEL2_L2A} | config
        return await self.client.observe(pb.ObservationConfig(project_id=project_id, **asked), picture.path)


@asynccontextmanager
async def running(
    folder: Path,
    database_url: str = "",
    *,
    roots: tuple[Path, ...] = (),
    buckets: tuple[str, ...] = (),
    blobs_url: str = "",
    catalogue_items: int = 1000,
    inference: InferenceSettings = InferenceSettings(),  # noqa: B008  # frozen
) -> AsyncIterator[Service]:
    storage = {"folder": folder, "database_url": database_url, "blobs_url": blobs_url}
    settings = ProgressMonitorSettings(
        inference=inference,
        server=ServerSettings(listen="127.0.0.1:0", drain_grace_s=0),
        storage=StorageSettings.model_validate(storage),
        limits=LimitSettings(read_roots=roots, read_buckets=buckets, catalogue_items=catalogue_items),
        rescan=RescanSettings(poll_s=0.05),
    )
    backend = open_backend(inference)
    try:
        async with serving(settings, backend) as server:
            port = await server.start()
            async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub = progress_pb2_grpc.ProgressServiceStub(channel)
                yield Service(stub, ProgressClient(channel), f"127.0.0.1:{port}")
            await server.stop_now()
    finally:
        await backend.close()
