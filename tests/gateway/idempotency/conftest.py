from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from gateway.idempotency.settings import IdempotencySettings
from tests.gateway.conftest import Client, reached, settings_for, through
from tests.gateway.toy import Toy, serving
from tests.services.postgres import Postgres, postgres


@pytest.fixture(scope="session")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def idempotency(request: pytest.FixtureRequest, tmp_path: Path) -> IdempotencySettings:
    """Settings of an empty store: every test that asks for it runs on both kinds."""
    folder = tmp_path / "idempotency"
    if request.param == "sqlite":
        return IdempotencySettings(folder=folder, lease_s=1.0)
    server: Postgres = request.getfixturevalue("postgres_server")
    return IdempotencySettings.model_validate({"folder": folder, "database_url": server.new_database(), "lease_s": 1.0})


@pytest.fixture
async def keyed(toy: Toy, key_file: tuple[Path, str], idempotency: IdempotencySettings) -> AsyncIterator[Client]:
    """A client of a gateway that keeps answers; no call has told the gateway anything of the toy's methods yet."""
    async with (
        serving(toy, with_reflection=True) as port,
        through(
            settings_for(f"127.0.0.1:{port}", key_file[0]).model_copy(update={"idempotency": idempotency}),
            key_file[1],
        ) as client,
    ):
        await reached(client)
        yield client
