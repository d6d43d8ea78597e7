"""A running intent service answers with another version of its model, without a restart and without a lost call."""

import asyncio
import shutil
from pathlib import Path
from typing import Any

import grpc
import pytest

from bankai.inference import onnx as embedded
from bankai.intent.v1 import intent_pb2 as pb
from bankai.intent.v1 import intent_pb2_grpc
from bankai.rollout.versions import place, point, stage
from services.intent.app import serving
from services.intent.settings import IntentSettings
from tests.cli.toy import WORDS, write_models

pytestmark = pytest.mark.slow


@pytest.fixture
def models_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Version 1 of `intent` is served; version 2 takes a thief for a scam, and lies there, too."""
    folder = write_models(tmp_path / "models")
    point(folder / "intent", 1)
    monkeypatch.setitem(WORDS, "贼", WORDS["诈"])
    place(stage(write_models(tmp_path / "other") / "intent" / "1", folder / "intent"), 2)
    return folder


async def test_calls_go_on_while_the_version_changes(models_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "LOOK_EVERY_S", 0.05)
    settings = IntentSettings.model_validate(
        {"server": {"listen": "127.0.0.1:0", "drain_grace_s": 0}, "inference": {"models_dir": models_dir}}
    )
    answers: list[tuple[str, bool]] = []
    stop = asyncio.Event()

    async def ask(stub: Any) -> None:
        while not stop.is_set():
            response = await stub.Classify(pb.ClassifyRequest(text="贼来了"), timeout=20)
            best = response.analysis.intents[0]
            answers.append((response.analysis.model.version, best.intent_id == "fraud_report" and best.holds))

    async with serving(settings) as server, asyncio.timeout(60):
        port = await server.start()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub: Any = intent_pb2_grpc.IntentServiceStub(channel)
            callers = [asyncio.create_task(ask(stub)) for _ in range(8)]
            for version in (2, 1, 2):
                point(models_dir / "intent", version)
                while not answers or answers[-1][0] != str(version):  # noqa: ASYNC110  # over the wire there is no event
                    await asyncio.sleep(0.02)
            shutil.rmtree(models_dir / "intent" / "1")  # what is loaded needs its files no more
            listed = await stub.ListIntents(pb.ListIntentsRequest())
            stop.set()
            await asyncio.gather(*callers)  # raises what any caller was told
        await server.stop_now()
    assert set(answers) == {("1", False), ("2", True)}
    assert listed.model.version == "2"
