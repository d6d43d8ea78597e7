from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2

from bankai.status import from_rpc_error
from gateway.authn.api_keys import add_key, new_key
from gateway.reflection import SERVICES
from tests.bankai.logs import logged
from tests.gateway.conftest import Client, as_is, settings_for, through
from tests.gateway.toy import SERVICE, Toy, serving

EXPIRED, _EXPIRED_RECORD = new_key("ivr", expires=datetime.now(UTC) - timedelta(days=1))
STRANGE, _ = new_key("ivr")


async def refusal(client: Client, method: str, metadata: tuple[tuple[str, str], ...]) -> tuple[grpc.StatusCode, str]:
    call = client.channel.stream_stream(method, as_is, as_is)(metadata=metadata)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call.read()
    return caught.value.code(), from_rpc_error(caught.value).reason


@pytest.mark.parametrize(
    "method", [f"/{SERVICE}/Echo", "/no.Such/Method", *(f"/{name}/ServerReflectionInfo" for name in SERVICES)]
)
@pytest.mark.parametrize(
    ("metadata", "reason"),
    [
        ((), "CREDENTIAL_REQUIRED"),
        ((("authorization", "Basic dXNlcjpwYXNz"),), "CREDENTIAL_REQUIRED"),
        ((("x-api-key", ""),), "API_KEY_UNKNOWN"),
        ((("x-api-key", "letmein"),), "API_KEY_UNKNOWN"),
        ((("x-api-key", STRANGE),), "API_KEY_UNKNOWN"),
        ((("authorization", f"Bearer {STRANGE}"),), "API_KEY_UNKNOWN"),
        ((("authorization", "Bearer"),), "CREDENTIAL_REQUIRED"),
        ((("x-api-key", EXPIRED),), "API_KEY_EXPIRED"),
        ((("authorization", f"Bearer {EXPIRED}"),), "API_KEY_EXPIRED"),
        ((("x-bankai-channel", "ivr"),), "CREDENTIAL_REQUIRED"),
    ],
)
async def test_who_is_refused(
    key_file: tuple[Path, str], method: str, metadata: tuple[tuple[str, str], ...], reason: str
) -> None:
    add_key(key_file[0], _EXPIRED_RECORD)
    async with through(settings_for("127.0.0.1:1", key_file[0]), key_file[1]) as client:
        assert await refusal(client, method, metadata) == (grpc.StatusCode.UNAUTHENTICATED, reason)


async def test_a_refused_call_does_not_reach_the_backend(client: Client, toy: Toy) -> None:
    await refusal(client, f"/{SERVICE}/Chat", (("x-api-key", STRANGE),))
    assert toy.events == []


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
async def test_a_bearer_key(client: Client, toy: Toy, key_file: tuple[Path, str], scheme: str) -> None:
    show = client.channel.unary_unary(f"/{SERVICE}/Show", as_is, as_is)
    await show(b"", metadata=(("authorization", f"{scheme} {key_file[1]}"),))
    assert toy.metadata["x-bankai-channel"] == "ivr"
    assert "authorization" not in toy.metadata


async def test_health_is_open(client: Client) -> None:
    answer = await client.channel.unary_unary("/grpc.health.v1.Health/Check", as_is, as_is)(b"")
    assert health_pb2.HealthCheckResponse.FromString(answer).status == health_pb2.HealthCheckResponse.SERVING


async def test_logs_name_channel_and_key_id_but_hold_no_key(
    toy: Toy, key_file: tuple[Path, str], capsys: pytest.CaptureFixture[str]
) -> None:
    raw = key_file[1]
    with logged(capsys, level="debug") as logs:
        async with (
            serving(toy, with_reflection=False) as port,
            through(settings_for(f"127.0.0.1:{port}", key_file[0]), raw) as client,
        ):
            await client.unary("Echo", b"hello")
            await refusal(client, f"/{SERVICE}/Echo", (("x-api-key", STRANGE),))
        lines = logs.lines()
    calls = [line for line in lines if line["event"] == "call"]
    assert [(line["code"], line.get("channel"), line.get("credential")) for line in calls] == [
        ("OK", "ivr", f"key {raw.split('_')[1]}"),
        ("UNAUTHENTICATED", None, None),
    ]
    assert calls[1]["reason"] == "API_KEY_UNKNOWN"
    for key in (raw, STRANGE):
        assert key.split("_", 2)[2] not in str(lines)  # the secret may hold "_" itself
