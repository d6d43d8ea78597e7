import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from bankai import model_health
from bankai.errors import BankaiError, FaultError
from bankai.inference.repository import ModelRepository
from bankai.intent.v1 import intent_pb2 as pb
from bankai.settings import describe
from services.intent.app import open_store, read_labels
from services.intent.redis_sessions import RedisSessionStore
from services.intent.sessions import MemorySessionStore
from services.intent.settings import IntentSettings
from tests.services.intent.conftest import LABELS, Service, Start, write_model
from tests.services.intent.fakes import EMOTIONS, INTENTS, KeywordBackend


async def test_classify(service: Service) -> None:
    request = pb.ClassifyRequest(text="我要挂失 还有余额", max_intents=3, language="zh")
    analysis = (await service.stub.Classify(request)).analysis
    assert [(score.intent_id, score.holds) for score in analysis.intents] == [
        ("card_loss_report", True),
        ("balance_inquiry", True),
        ("transfer_not_received", False),
    ]
    assert len(analysis.emotion.scores) == len(EMOTIONS)
    assert analysis.emotion.emotion_id == "neutral"


async def test_classify_returns_five_intents_by_default(service: Service) -> None:
    analysis = (await service.stub.Classify(pb.ClassifyRequest(text="挂失"))).analysis
    assert len(analysis.intents) == 5


async def test_classify_with_context(service: Service, backend: KeywordBackend) -> None:
    request = pb.ClassifyRequest(text="对 就是那张", context=["余额"] * 17 + ["", "", "挂失"])
    analysis = (await service.stub.Classify(request)).analysis
    assert analysis.intents[0].intent_id == "card_loss_report"
    assert len(backend.asked) == 4  # older context changes no answer


async def test_classify_keeps_the_deadline(service: Service, backend: KeywordBackend) -> None:
    backend.gate.clear()
    with pytest.raises(grpc.RpcError) as caught:
        await service.stub.Classify(pb.ClassifyRequest(text="挂失"), timeout=0.2)
    assert caught.value.code() is grpc.StatusCode.DEADLINE_EXCEEDED
    async with asyncio.timeout(5):
        while backend.running:  # noqa: ASYNC110  # given up, not left behind
            await asyncio.sleep(0.01)


async def test_list_intents(service: Service) -> None:
    listed = await service.stub.ListIntents(pb.ListIntentsRequest())
    assert [intent.intent_id for intent in listed.intents] == list(INTENTS)
    assert listed.intents[0].name_zh == "card_loss_report的"
    assert [emotion.emotion_id for emotion in listed.emotions] == list(EMOTIONS)
    assert (listed.model.name, listed.model.version) == ("intent", "1")


async def test_health_follows_the_models(
    start: Start, backend: KeywordBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(model_health, "_READY_EVERY_S", 0.05)
    backend.alive = False
    service = await start()
    health: Any = health_pb2_grpc.HealthStub(service.channel)
    request = health_pb2.HealthCheckRequest(service="bankai.intent.v1.IntentService")
    async with asyncio.timeout(10):
        for alive, status in [(False, "NOT_SERVING"), (True, "SERVING"), (False, "NOT_SERVING")]:
            backend.alive = alive
            wanted = health_pb2.HealthCheckResponse(status=status)
            while await health.Check(request) != wanted:  # noqa: ASYNC110  # over the wire there is no event
                await asyncio.sleep(0.02)


def test_both_models_must_fit_the_labels(tmp_path: Path) -> None:
    write_model(tmp_path, "intent")
    write_model(tmp_path, "intent_partial")
    assert read_labels(ModelRepository(tmp_path)).intent_ids == INTENTS
    write_model(tmp_path, "intent_partial", intents=49)
    with pytest.raises(FaultError, match=r"of model 'intent_partial' has shape \[49\], not \[8\]"):
        read_labels(ModelRepository(tmp_path))
    fewer: dict[str, Any] = {**LABELS, "intents": LABELS["intents"][1:]}
    write_model(tmp_path, "intent_partial", labels=fewer)
    with pytest.raises(FaultError, match="different labels"):
        read_labels(ModelRepository(tmp_path))


def test_no_models(tmp_path: Path) -> None:
    with pytest.raises(BankaiError):
        read_labels(ModelRepository(tmp_path))


async def test_the_store_is_the_one_of_the_settings() -> None:
    assert isinstance(open_store(IntentSettings()), MemorySessionStore)
    settings = IntentSettings.model_validate({"sessions": {"redis_url": "redis://:secret@127.0.0.1:6379/0"}})
    store = open_store(settings)
    assert isinstance(store, RedisSessionStore)
    await store.close()
    assert "secret" not in str(describe(settings))


def test_a_redis_url_must_be_one() -> None:
    with pytest.raises(ValueError, match="must begin with redis://"):
        IntentSettings.model_validate({"sessions": {"redis_url": "http://x"}})


def run_service(models: Path, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "services.intent"],
        env={
            **os.environ,
            "BANKAI_INTENT_SERVER__LISTEN": "127.0.0.1:0",
            "BANKAI_INTENT_INFERENCE__MODELS_DIR": str(models),
            "BANKAI_INTENT_LOG__FORMAT": "json",
            **environment,
        },
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_it_refuses_to_start_where_labels_and_outputs_disagree(tmp_path: Path) -> None:
    write_model(tmp_path, "intent", intents=9)
    write_model(tmp_path, "intent_partial")
    process = run_service(tmp_path)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "MODEL_LABELS_MISMATCH" in errors
    assert "has shape [9], not [8]" in errors
    assert "Traceback" not in errors


@pytest.mark.slow
def test_it_refuses_an_address_in_use(models_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        process = run_service(models_dir, BANKAI_INTENT_SERVER__LISTEN=f"127.0.0.1:{taken.getsockname()[1]}")
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "ADDRESS_UNUSABLE" in errors


@pytest.mark.slow
def test_it_runs_until_it_is_told_to_stop(models_dir: Path) -> None:
    process = run_service(models_dir)
    assert process.stderr is not None
    for line in process.stderr:
        if "listening" in line:
            break
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
