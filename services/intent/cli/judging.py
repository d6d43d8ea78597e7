"""Runs gold data through the service, in this process or behind a gateway."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import grpc

from bankai.cli.connection import Connection
from bankai.cli.report import progress
from bankai.client.calls import CallClient
from bankai.inference import open_backend
from bankai.inference.repository import ModelRepository
from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc
from bankai.logging import configure
from bankai.settings import LogSettings, ServerSettings, load
from services.intent.app import read_labels, serving
from services.intent.classifier import FULL_MODEL, UtteranceClassifier
from services.intent.cli.label_list import listed
from services.intent.encoding import TextEncoder
from services.intent.evaluation.calls import CallVerdict
from services.intent.evaluation.gold import CALLER, Call, LabelSet, Utterance, read_calls, read_utterances
from services.intent.evaluation.utterances import Verdict
from services.intent.model_versions import ModelVersions
from services.intent.settings import IntentSettings

TIMEOUT_S = 30.0
ALL_INTENTS = 1000
"""More than there are, so that every intent that holds is told."""

Classify = Callable[[str], Awaitable[Verdict]]


async def utterances(file: Path, connection: Connection | None) -> tuple[list[Utterance], list[Verdict]]:
    """Has the service analyse every utterance of a file, one at a time.

    Args:
        file: The utterances.
        connection: To a gateway; None for the models in this process.

    Raises:
        BankaiError: The file is wrong, or the service or a model failed.
    """
    async with _remote(connection) if connection else _embedded() as (known, classify):
        gold = read_utterances(file, known)
        await classify(gold[0].text)  # loads the model; no answer's time is to include that
        verdicts = [await classify(utterance.text) for utterance in progress(gold, "judging utterances")]
    return gold, verdicts


async def calls(file: Path, connection: Connection | None) -> tuple[list[Call], list[CallVerdict]]:
    """Streams every call of a file turn by turn.

    Args:
        file: The calls.
        connection: To a gateway; None for a service in this process.

    Raises:
        BankaiError: The file is wrong, or the service or a model failed.
    """
    async with _served(connection) as reached, reached.channel() as channel:
        gold = read_calls(file, await _label_set(channel, reached))
        await _stream(channel, reached, gold[0])  # as above
        verdicts = [await _stream(channel, reached, call) for call in progress(gold, "streaming calls")]
    return gold, verdicts


@asynccontextmanager
async def _embedded() -> AsyncIterator[tuple[LabelSet, Classify]]:
    settings = _settings().inference
    repository = ModelRepository(settings.models_dir)
    known = read_labels(repository)
    folder = repository.version_dir(FULL_MODEL)
    backend = open_backend(settings)
    classifier = UtteranceClassifier(backend, TextEncoder(folder / "tokenizer.json"), known, ModelVersions(folder))

    async def classify(text: str) -> Verdict:
        start = time.perf_counter()
        analysis = await classifier.full(text, {}, TIMEOUT_S)
        seconds = time.perf_counter() - start
        best = analysis.intents[0]
        holding = tuple(score.intent_id for score in analysis.held)
        emotion = analysis.emotion.emotion_id
        return Verdict(best.intent_id, best.probability, holding, analysis.out_of_scope_probability, emotion, seconds)

    try:
        yield LabelSet(known.intent_ids, known.emotion_ids), classify
    finally:
        await backend.close()


@asynccontextmanager
async def _remote(connection: Connection) -> AsyncIterator[tuple[LabelSet, Classify]]:
    async with connection.channel() as channel:
        stub = intent_pb2_grpc.IntentServiceStub(channel)

        async def classify(text: str) -> Verdict:
            request = pb.ClassifyRequest(text=text, max_intents=ALL_INTENTS)
            start = time.perf_counter()
            response = await stub.Classify(request, metadata=connection.metadata, timeout=TIMEOUT_S)
            seconds = time.perf_counter() - start
            analysis = response.analysis
            best = analysis.intents[0]
            holding = tuple(score.intent_id for score in analysis.intents if score.holds)
            emotion = analysis.emotion.emotion_id
            return Verdict(
                best.intent_id, best.probability, holding, analysis.out_of_scope_probability, emotion, seconds
            )

        yield await _label_set(channel, connection), classify


@asynccontextmanager
async def _served(connection: Connection | None) -> AsyncIterator[Connection]:
    """A running service: the one that is given, or one in this process on a free port of the loopback."""
    if connection is not None:
        yield connection
        return
    settings = _settings()
    # Whatever the environment says of listening is meant for the real service.
    loopback = settings.model_copy(update={"server": ServerSettings(listen="127.0.0.1:0")})
    async with serving(loopback) as server:
        await server.start()
        try:
            yield Connection(f"127.0.0.1:{server.port}")
        finally:
            await server.stop_now()


def _settings() -> IntentSettings:
    """The service's own settings, so that what is judged is what would serve; its logs go to stderr, as there."""
    settings = load(IntentSettings)
    configure(LogSettings(level="warning"), "intent")
    return settings


async def _label_set(channel: grpc.aio.Channel, connection: Connection) -> LabelSet:
    known = await listed(channel, connection)
    return LabelSet([intent.intent_id for intent in known.intents], [emotion.emotion_id for emotion in known.emotions])


async def _stream(channel: grpc.aio.Channel, connection: Connection, call: Call) -> CallVerdict:
    config = pb.CallConfig(call_id=f"eval-{uuid4()}", options=pb.CallOptions(skip_partials=True))
    emotions, seconds, escalated = [], [], False
    async with CallClient(channel, config, connection.metadata) as client:
        for number, turn in enumerate(call.turns, start=1):
            by_caller = turn.speaker == CALLER
            speaker = pb.SPEAKER_CALLER if by_caller else pb.SPEAKER_AGENT
            segment = pb.Segment(segment_id=str(number), speaker=speaker, text=turn.text, is_final=True)
            start = time.perf_counter()
            answer = await client.ask(segment)
            if by_caller:
                seconds.append(time.perf_counter() - start)
                emotions.append(answer.analysis.emotion.emotion_id)
            escalated = escalated or answer.call.escalation.advised
        summary = await client.finish()
    return CallVerdict(summary.main_intent_id, tuple(emotions), escalated, tuple(seconds))
