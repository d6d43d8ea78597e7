"""Puts the intent service together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bankai.background import beside
from bankai.errors import FaultError
from bankai.inference import label_file, open_backend
from bankai.inference.backend import InferenceBackend
from bankai.inference.repository import ModelRepository
from bankai.intent.v1 import intent_pb2_grpc
from bankai.interceptors import service_interceptors
from bankai.model_health import watch_models
from bankai.server import GrpcServer
from services.intent.calls import CallService
from services.intent.classifier import FULL_MODEL, PARTIAL_MODEL, UtteranceClassifier
from services.intent.encoding import TextEncoder
from services.intent.labels import Labels
from services.intent.model_versions import ModelVersions
from services.intent.redis_sessions import RedisSessionStore
from services.intent.servicer import NAME, IntentServicer
from services.intent.sessions import MemorySessionStore, SessionStore
from services.intent.settings import IntentSettings
from services.intent.stream import CallResources


@asynccontextmanager
async def serving(settings: IntentSettings, backend: InferenceBackend | None = None) -> AsyncIterator[GrpcServer]:
    """The intent service, ready to be started.

    Args:
        settings: Its settings.
        backend: Runs the models; the one of the settings where None.

    Yields:
        The server. What it stands on is closed with the context.

    Raises:
        FaultError: The models' files are missing, wrong, or disagree.
    """
    repository = ModelRepository(settings.inference.models_dir)
    labels = read_labels(repository)
    folder = repository.version_dir(FULL_MODEL)
    versions = ModelVersions(folder)
    server = GrpcServer(
        settings.server,
        name="intent",
        interceptors=service_interceptors(settings),
    )
    backend = open_backend(settings.inference) if backend is None else backend
    store = open_store(settings)
    classifier = UtteranceClassifier(backend, TextEncoder(folder / "tokenizer.json"), labels, versions)
    calls = CallService(
        CallResources(classifier, store, settings.stream, settings.sessions.keep_answers), server.draining
    )
    servicer = IntentServicer(classifier, calls, labels, versions)
    server.add(lambda grpc_server: intent_pb2_grpc.add_IntentServiceServicer_to_server(servicer, grpc_server), [NAME])
    try:
        async with beside(watch_models(server, backend, (FULL_MODEL, PARTIAL_MODEL), [NAME])):
            yield server
    finally:
        await store.close()
        await backend.close()


def read_labels(repository: ModelRepository) -> Labels:
    """Reads the label set and makes sure that both models speak of it.

    Raises:
        FaultError: MODEL_LABELS_INVALID or MODEL_LABELS_MISMATCH.
        BankaiError: What `ModelRepository` raises.
    """
    labels = label_file.read_labels(repository.version_dir(FULL_MODEL), Labels)
    small = label_file.read_labels(repository.version_dir(PARTIAL_MODEL), Labels)
    if (labels.intent_ids, labels.emotion_ids) != (small.intent_ids, small.emotion_ids):
        raise FaultError("MODEL_LABELS_MISMATCH", f"models {FULL_MODEL!r} and {PARTIAL_MODEL!r} have different labels")
    for model in (FULL_MODEL, PARTIAL_MODEL):
        labels.check_outputs(model, {output.name: output.shape for output in repository.config(model).outputs})
    return labels


def open_store(settings: IntentSettings) -> SessionStore:
    """Where calls are kept, as the settings say."""
    sessions = settings.sessions
    if not sessions.redis_url.get_secret_value():
        return MemorySessionStore(sessions.ttl_s, sessions.max_calls)
    return RedisSessionStore(sessions, lease_s=settings.stream.idle_timeout_s + settings.stream.client_timeout_s)


async def serve(settings: IntentSettings) -> None:
    """Serves until SIGTERM or SIGINT, then drains.

    Raises:
        BankaiError: As `serving`.
        OSError: An address of the settings cannot be listened on.
    """
    async with serving(settings) as server:
        await server.run()
