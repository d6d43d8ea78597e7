"""Puts the doc_extract service together."""

from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.longrunning import operations_pb2_grpc

from bankai.background import beside
from bankai.blobs import Blobs
from bankai.doc_extract.v1 import doc_extract_pb2_grpc
from bankai.inference import open_backend
from bankai.inference.backend import InferenceBackend
from bankai.inference.label_file import read_labels
from bankai.inference.repository import ModelRepository
from bankai.interceptors import service_interceptors
from bankai.model_health import watch_models
from bankai.server import GrpcServer
from bankai.store import Database
from services.doc_extract import operations_servicer, servicer
from services.doc_extract.batch_intake import BatchIntake
from services.doc_extract.batch_workers import BatchWorkers
from services.doc_extract.extractions import DocumentExtractor, Extractions
from services.doc_extract.extractor import Extractor
from services.doc_extract.intake.limits import IntakeLimits
from services.doc_extract.intake.reader import FileReader
from services.doc_extract.operations_servicer import OperationsServicer
from services.doc_extract.reading.document_reader import DocumentReader
from services.doc_extract.reading.ocr import reader as ocr
from services.doc_extract.reading.ocr import recognition
from services.doc_extract.reading.ocr.reader import PageReader
from services.doc_extract.retention import Retention
from services.doc_extract.schemas import SchemaBook
from services.doc_extract.servicer import DocExtractServicer, Parts
from services.doc_extract.settings import DocExtractSettings
from services.doc_extract.slots import Slots
from services.doc_extract.storage import tables
from services.doc_extract.storage.documents import DocumentStore
from services.doc_extract.storage.operations import OperationStore
from services.doc_extract.storage.results import ResultStore
from services.doc_extract.storage.schemas import SchemaStore
from services.doc_extract.understanding import roles
from services.doc_extract.understanding.understander import Understander
from services.doc_extract.uploads import Uploads

MODELS = (*ocr.MODELS, roles.MODEL)
"""Names of the models that the service needs."""
SERVICES = (servicer.NAME, operations_servicer.NAME)


class Stores:
    """Where documents are on their way to a result, and the results.

    Args:
        settings: The service's settings.
        database: The database, prepared.
    """

    def __init__(self, settings: DocExtractSettings, database: Database) -> None:
        self.blobs = Blobs(settings.storage.blobs)
        self.documents = DocumentStore(database, settings.batch.lease_s)
        self.results = ResultStore(database)
        self.schemas = SchemaBook(SchemaStore(database))
        self._keep = settings.storage.keep_documents

    def extractions(self, extractor: DocumentExtractor) -> Extractions:
        """Extracts documents into them."""
        return Extractions(extractor, self.documents, self.results, self.schemas, self.blobs, keep=self._keep)


@asynccontextmanager
async def serving(settings: DocExtractSettings, extractor: DocumentExtractor) -> AsyncIterator[GrpcServer]:
    """The service, ready to be started.

    Args:
        settings: Its settings.
        extractor: Reads and understands documents.

    Yields:
        The server. What it stands on is closed with the context.

    Raises:
        BankaiError: The database cannot be used.
    """
    server = GrpcServer(
        settings.server,
        name="doc_extract",
        interceptors=service_interceptors(settings),
    )
    database = Database(settings.storage.database)
    try:
        await database.prepare(tables.COMPONENT, tables.metadata, tables.VERSION)
        async with beside(*_assemble(server, settings, extractor, database)):
            yield server
    finally:
        await database.close()


def _assemble(
    server: GrpcServer, settings: DocExtractSettings, extractor: DocumentExtractor, database: Database
) -> Sequence[Coroutine[Any, Any, None]]:
    """Adds the services to the server; returns what must run beside it."""
    storage, limits = settings.storage, settings.limits
    stores, operations = Stores(settings, database), OperationStore(database)
    uploads = Uploads(limits, stores.schemas)
    extractions = stores.extractions(extractor)
    workers = BatchWorkers(extractions, stores.documents, stores.blobs, settings.batch)
    parts = Parts(
        uploads=uploads,
        extractions=extractions,
        slots=Slots(limits.extractions, limits.extractions_waiting),
        batches=BatchIntake(uploads, stores.blobs, operations, limits),
        workers=workers,
        results=stores.results,
        schemas=stores.schemas,
        blobs=stores.blobs,
        longest_s=limits.extract_s,
    )

    def register(grpc_server: grpc.aio.Server) -> None:
        doc_extract_pb2_grpc.add_DocExtractServiceServicer_to_server(DocExtractServicer(parts), grpc_server)
        operations_pb2_grpc.add_OperationsServicer_to_server(OperationsServicer(operations, stores.blobs), grpc_server)

    server.add(register, SERVICES)
    return (workers.run(), Retention(stores.results, stores.documents, stores.blobs, storage).run())


@asynccontextmanager
async def open_extractor(settings: DocExtractSettings, backend: InferenceBackend) -> AsyncIterator[Extractor]:
    """The extractor that the settings ask for, closed with the context.

    Args:
        settings: The service's settings.
        backend: Runs the models.

    Raises:
        FaultError: The models' files are missing or wrong.
    """
    repository = ModelRepository(settings.inference.models_dir)
    limits = IntakeLimits(max_bytes=settings.limits.document_bytes, max_pages=settings.limits.document_pages)
    files = FileReader(limits, settings.limits.extractions + settings.batch.workers)
    pages = PageReader(backend, read_labels(repository.version_dir(recognition.MODEL), list[str]))
    understander = Understander(backend, repository)
    await files.start()
    try:
        yield Extractor(DocumentReader(files, pages), understander)
    finally:
        await files.close()


async def serve(settings: DocExtractSettings) -> None:
    """Serves until SIGTERM or SIGINT, then drains.

    Raises:
        BankaiError: As `serving`.
        OSError: An address of the settings cannot be listened on.
    """
    backend = open_backend(settings.inference)
    try:
        async with (
            open_extractor(settings, backend) as extractor,
            serving(settings, extractor) as server,
            beside(watch_models(server, backend, MODELS, SERVICES)),
        ):
            await server.run()
    finally:
        await backend.close()
