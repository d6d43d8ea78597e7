import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from bankai.intent.v1 import intent_pb2_grpc
from bankai.loopback import free_ports
from bankai.server import GrpcServer
from services.intent.app import serving
from services.intent.classifier import UtteranceClassifier
from services.intent.encoding import TextEncoder
from services.intent.labels import Labels
from services.intent.model_versions import ModelVersions
from services.intent.settings import IntentSettings
from tests.services.intent.fakes import EMOTIONS, INTENTS, KeywordBackend

LABELS: dict[str, Any] = {
    "model": "intent",
    "intents": [{"id": intent, "zh": f"{intent}的", "en": intent, "covers": "…"} for intent in INTENTS],
    "emotions": [{"id": emotion, "zh": f"{emotion}的"} for emotion in EMOTIONS],
    "holds_at": 0.5,
}

CONFIG = """
name: "{name}"
backend: "onnxruntime"
max_batch_size: 8
input [ {inputs} ]
output [
  {{ name: "intent_probs" data_type: TYPE_FP32 dims: [ {intents} ] }},
  {{ name: "emotion_probs" data_type: TYPE_FP32 dims: [ {emotions} ] }},
  {{ name: "intensity" data_type: TYPE_FP32 dims: [ 1 ] }}
]
"""


def write_model(folder: Path, name: str, *, labels: Any = LABELS, intents: int = len(INTENTS)) -> None:
    """Writes what the service reads of a model, without the model."""
    version = folder / name / "1"
    version.mkdir(parents=True, exist_ok=True)
    (version / "labels.json").write_text(json.dumps(labels), encoding="utf-8")
    tokenizer = Tokenizer(WordLevel({"<s>": 0, "<pad>": 1, "</s>": 2, "<unk>": 3}, unk_token="<unk>"))
    tokenizer.save(str(version / "tokenizer.json"))
    inputs = '{ name: "ngram_ids" data_type: TYPE_INT64 dims: [ -1 ] }'
    config = CONFIG.format(name=name, inputs=inputs, intents=intents, emotions=len(EMOTIONS))
    (folder / name / "config.pbtxt").write_text(config, encoding="utf-8")


@pytest.fixture(scope="session")
def models_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    for name in ("intent", "intent_partial"):
        write_model(folder, name)
    return folder


@pytest.fixture(scope="session")
def labels() -> Labels:
    return Labels.model_validate(LABELS)


@pytest.fixture
def backend() -> KeywordBackend:
    return KeywordBackend()


@pytest.fixture
def classifier(backend: KeywordBackend, models_dir: Path, labels: Labels) -> UtteranceClassifier:
    folder = models_dir / "intent" / "1"
    return UtteranceClassifier(backend, TextEncoder(folder / "tokenizer.json"), labels, ModelVersions(folder))


@dataclass
class Service:
    """A service that runs on the loopback, and a client of it."""

    server: GrpcServer
    address: str
    channel: grpc.aio.Channel
    stub: Any


Start = Callable[..., Awaitable[Service]]


@pytest.fixture
async def start(backend: KeywordBackend, models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Start]:
    """Starts intent services with the given groups of settings; all share one fake backend."""
    async with AsyncExitStack() as stack:

        async def start_one(**groups: dict[str, Any]) -> Service:
            server_settings = {"listen": "127.0.0.1:0", "drain_grace_s": 1.0, **groups.pop("server", {})}
            settings = IntentSettings.model_validate(
                {"server": server_settings, "inference": {"models_dir": models_dir}, **groups}
            )
            server = await stack.enter_async_context(serving(settings, backend))
            port = await server.start()
            stack.push_async_callback(server.stop_now)
            address = f"127.0.0.1:{port}"
            channel = await stack.enter_async_context(grpc.aio.insecure_channel(address))
            return Service(server, address, channel, intent_pb2_grpc.IntentServiceStub(channel))

        yield start_one


@pytest.fixture
async def service(start: Start) -> Service:
    return await start()


@pytest.fixture
def unused_port() -> int:
    """A port of the loopback where nobody listens."""
    return free_ports(1)[0]
