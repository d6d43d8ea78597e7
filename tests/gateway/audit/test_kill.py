"""A gateway that is killed under load: what it has answered is in the log."""

import asyncio
import json
from pathlib import Path

import grpc
import pytest

from bankai.loopback import free_ports
from gateway.audit.settings import AuditSettings
from gateway.audit.verification import Verification
from tests.gateway.audit.conftest import Keys, records
from tests.gateway.conftest import as_is, policy_beside
from tests.gateway.test_faults import running
from tests.gateway.toy import SERVICE, Toy, serving

CALLERS = 8


def environment(port: int, backend: int, keys_file: Path, settings: AuditSettings) -> dict[str, str]:
    return {
        "BANKAI_GATEWAY_SERVER__LISTEN": f"127.0.0.1:{port}",
        "BANKAI_GATEWAY_KEYS_FILE": str(keys_file),
        "BANKAI_GATEWAY_POLICY_FILE": str(policy_beside(keys_file)),
        "BANKAI_GATEWAY_ROUTES": json.dumps({SERVICE: f"127.0.0.1:{backend}"}),
        "BANKAI_GATEWAY_AUDIT__FOLDER": str(settings.folder),
        "BANKAI_GATEWAY_AUDIT__KEY": str(settings.key),
        "BANKAI_GATEWAY_AUDIT__CHECKPOINT_RECORDS": "50",
        "BANKAI_GATEWAY_AUDIT__MAX_FILE_BYTES": "100000",
    }


@pytest.mark.slow
async def test_every_call_that_was_answered_is_in_the_log(
    toy: Toy, key_file: tuple[Path, str], settings: AuditSettings, keys: Keys
) -> None:
    answered: list[str] = []

    async def call_on(port: int, caller: str) -> None:
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}", (("grpc.use_local_subchannel_pool", 1),)) as channel:
            echo = channel.unary_unary(f"/{SERVICE}/Echo", as_is, as_is)
            while True:
                identity = f"{caller}.{len(answered)}"
                try:
                    await echo(b"x", metadata=(("x-api-key", key_file[1]), ("x-request-id", identity)))
                except grpc.aio.AioRpcError:
                    return
                answered.append(identity)

    async with serving(toy, with_reflection=True) as backend:
        for life in range(3):
            (port,) = free_ports(1)
            before = len(answered)
            async with (
                running("gateway", port=port, **environment(port, backend, key_file[0], settings)) as process,
                asyncio.timeout(60),
                asyncio.TaskGroup() as group,
            ):
                for number in range(CALLERS):
                    group.create_task(call_on(port, f"{life}.{number}"))
                while len(answered) < before + 300:  # noqa: ASYNC110  # many tasks count
                    await asyncio.sleep(0.01)
                process.kill()

    verification = Verification(settings.folder, keys.verifier)
    for _ in verification.lines():
        pass
    assert verification.findings.problems == []
    assert verification.findings.chains == 1  # each process continued it
    ended = records(settings.folder)
    recorded = {record["request_id"] for record in ended if record["code"] == "OK"}
    assert set(answered) <= recorded
    assert len(answered) >= 900
    assert "unary" in {record["kind"] for record in ended} <= {"bidi_stream", "unary"}  # as the method was learned
