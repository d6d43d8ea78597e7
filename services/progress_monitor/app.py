"""Puts the progress_monitor service together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import grpc

from bankai.background import beside
from bankai.blobs import Blobs
from bankai.inference import open_backend
from bankai.inference.backend import InferenceBackend
from bankai.inference.repository import ModelRepository
from bankai.interceptors import service_interceptors
from bankai.model_health import watch_models
from bankai.progress.v1 import progress_pb2_grpc
from bankai.server import GrpcServer
from bankai.store import Database
from services.progress_monitor import servicer
from services.progress_monitor.assessing import Assessing
from services.progress_monitor.change import detail as change_detail
from services.progress_monitor.change import model as change
from services.progress_monitor.change import work
from services.progress_monitor.change.detail import DetailModel
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.work import WorkModel
from services.progress_monitor.imagery.limits import ImageLimits
from services.progress_monitor.imagery.reader import ImageReader
from services.progress_monitor.importing import Importing
from services.progress_monitor.meaning import evidence
from services.progress_monitor.meaning.evidence import EvidenceModel, read_parameters
from services.progress_monitor.meaning.states import StateModel
from services.progress_monitor.observing import Observing
from services.progress_monitor.photos.limits import PhotoLimits
from services.progress_monitor.photos.reader import PhotoReader
from services.progress_monitor.pixels import PixelStore
from services.progress_monitor.proving import Proving
from services.progress_monitor.rescanning import Rescanning
from services.progress_monitor.retention import Retention
from services.progress_monitor.servicer import Parts, ProgressServicer
from services.progress_monitor.settings import ProgressMonitorSettings
from services.progress_monitor.sources.roots import Roots
from services.progress_monitor.storage.alerts import AlertStore
from services.progress_monitor.storage.erasing import ErasingStore
from services.progress_monitor.storage.imports import ImportStore
from services.progress_monitor.storage.migrations.upgrading import upgrade
from services.progress_monitor.storage.observations import ObservationStore
from services.progress_monitor.storage.projects import ProjectStore
from services.progress_monitor.storage.rescans import RescanStore
from services.progress_monitor.storage.turns import Turns

MODELS = (change.MODEL, work.MODEL, evidence.MODEL)
"""Names of the models that the service needs; the sub-metre model is used where it is served."""
SERVICES = (servicer.NAME,)


@dataclass(frozen=True, slots=True)
class _Readers:
    """What decodes files that nobody vouches for.

    Attributes:
        images: Pictures.
        photos: Photos.
    """

    images: ImageReader
    photos: PhotoReader


@asynccontextmanager
async def serving(settings: ProgressMonitorSettings, backend: InferenceBackend) -> AsyncIterator[GrpcServer]:
    """The service, ready to be started.

    Args:
        settings: Its settings.
        backend: Runs the models.

    Yields:
        The server. What it stands on is closed with the context.

    Raises:
        BankaiError: The database or the models' files cannot be used.
    """
    server = GrpcServer(
        settings.server,
        name="progress_monitor",
        interceptors=service_interceptors(settings),
    )
    async with opened(settings, backend, server.draining) as (parts, retention):

        def register(grpc_server: grpc.aio.Server) -> None:
            progress_pb2_grpc.add_ProgressServiceServicer_to_server(ProgressServicer(parts), grpc_server)

        server.add(register, SERVICES)
        async with beside(parts.rescanning.run(), retention.run()):
            yield server


@asynccontextmanager
async def opened(
    settings: ProgressMonitorSettings, backend: InferenceBackend, draining: asyncio.Event
) -> AsyncIterator[tuple[Parts, Retention]]:
    """What the service's calls stand on, and what erases what is old, closed with the context.

    Args:
        settings: The service's settings.
        backend: Runs the models.
        draining: Set when long calls must end.

    Raises:
        BankaiError: The database or the models' files cannot be used.
    """
    database = Database(settings.storage.database)
    readers = _Readers(
        ImageReader(ImageLimits(max_bytes=settings.limits.image_bytes), settings.limits.readers),
        PhotoReader(PhotoLimits(), settings.limits.readers),
    )
    try:
        await upgrade(database)
        await readers.images.start()
        parts = _parts(settings, backend, database, readers, draining)
        yield parts, Retention(parts.projects, ErasingStore(database), parts.pixels, settings.storage)
    finally:
        await readers.images.close()
        await readers.photos.close()
        await database.close()


async def serve(settings: ProgressMonitorSettings) -> None:
    """Serves until SIGTERM or SIGINT, then drains.

    Raises:
        BankaiError: As `serving`.
        OSError: An address of the settings cannot be listened on.
    """
    backend = open_backend(settings.inference)
    try:
        async with (
            serving(settings, backend) as server,
            beside(watch_models(server, backend, MODELS, SERVICES)),
        ):
            await server.run()
    finally:
        await backend.close()


def _parts(
    settings: ProgressMonitorSettings,
    backend: InferenceBackend,
    database: Database,
    readers: _Readers,
    draining: asyncio.Event,
) -> Parts:
    projects, observations = ProjectStore(database), ObservationStore(database)
    alerts, rescans = AlertStore(database), RescanStore(database, settings.rescan.lease_s)
    pixels = PixelStore(Blobs(settings.storage.blobs))
    repository = ModelRepository(settings.inference.models_dir)
    states = StateModel(read_parameters(repository))
    turns = Turns(database, settings.rescan.lease_s)
    detail = DetailModel(backend) if change_detail.MODEL in repository.names() else None
    observing = Observing(readers.images, ChangeModel(backend), WorkModel(backend), observations, pixels, turns, detail)
    roots = Roots(settings.limits.read_roots, settings.limits.read_buckets)
    importing = Importing(roots, readers.images, observing, ImportStore(database), settings.limits, draining)
    assessing = Assessing(observations, alerts, EvidenceModel(backend), states)
    return Parts(
        projects=projects,
        observations=observations,
        alerts=alerts,
        rescans=rescans,
        pixels=pixels,
        photos=readers.photos,
        observing=observing,
        importing=importing,
        assessing=assessing,
        proving=Proving(observations, pixels),
        rescanning=Rescanning(rescans, projects, observing, assessing, settings.rescan),
        limits=settings.limits,
        roots=roots,
        draining=draining,
    )
