import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateway.audit.keys import Verifier, read_public_key, write_new_key
from gateway.audit.settings import AuditSettings
from gateway.idempotency.settings import IdempotencySettings
from tests.gateway.conftest import Client, reached, settings_for, through
from tests.gateway.toy import Toy, serving


class Keys:
    """A pair of key files."""

    def __init__(self, folder: Path, name: str = "audit") -> None:
        self.private, self.public = folder / f"{name}.pem", folder / f"{name}.pub.pem"
        self.id = write_new_key(self.private, self.public)

    @property
    def verifier(self) -> Verifier:
        return Verifier([read_public_key(self.public)])


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Keys:
    return Keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def settings(keys: Keys, tmp_path: Path) -> AuditSettings:
    return AuditSettings(folder=tmp_path / "audit", key=keys.private, sync_s=0.05)


@pytest.fixture
async def audited(toy: Toy, key_file: tuple[Path, str], settings: AuditSettings) -> AsyncIterator[Client]:
    """A client of a gateway with an audit log in front of the toy."""
    async with gateway_with(settings, toy, key_file) as client:
        yield client


@asynccontextmanager
async def gateway_with(
    settings: AuditSettings,
    toy: Toy,
    key_file: tuple[Path, str],
    *,
    with_reflection: bool = False,
    idempotency: IdempotencySettings | None = None,
    **server: Any,
) -> AsyncIterator[Client]:
    async with serving(toy, with_reflection=with_reflection) as port:
        plain = settings_for(f"127.0.0.1:{port}", key_file[0], **server)
        full = plain.model_copy(update={"audit": settings, "idempotency": idempotency})
        async with through(full, key_file[1]) as client:
            await reached(client)
            yield client


def records(folder: Path, event: str = "ended") -> list[dict[str, Any]]:
    """The records of one event, file by file."""
    lines = [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_bytes().splitlines()]
    return [record for line in lines if (record := json.loads(line)["record"])["event"] == event]
