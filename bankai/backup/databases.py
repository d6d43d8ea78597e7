"""Copies of databases: SQLite's own backup, and PostgreSQL's own programs."""

import asyncio
import os
import shutil
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path

import sqlalchemy as sql
from sqlalchemy.ext.asyncio import AsyncConnection

from bankai.errors import ConflictError, FaultError, NotFoundError
from bankai.store import Database


def kind(url: str) -> str:
    """What a URL is of: "sqlite" or "postgresql"."""
    return sql.make_url(url).get_backend_name()


@asynccontextmanager
async def copied(url: str, file: Path) -> AsyncIterator[AsyncConnection]:
    """Copies a database that may be in use.

    Args:
        url: Of the database.
        file: To write.

    Yields:
        A connection that sees exactly what was copied.

    Raises:
        NotFoundError: DATABASE_MISSING.
        FaultError: TOOL_MISSING or TOOL_FAILED.
        UnavailableError: STORE_UNAVAILABLE.
    """
    if kind(url) == "sqlite":
        await asyncio.to_thread(_copy_sqlite, _file(url), file)
        copy = Database(f"sqlite:///{file}")
        try:
            async with copy.read() as connection:
                yield connection
        finally:
            await copy.close()
        return
    database = Database(url)
    try:
        async with database.read() as connection:
            await connection.execute(sql.text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
            snapshot = await connection.scalar(sql.text("SELECT pg_export_snapshot()"))
            await _run(url, "pg_dump", "--format=custom", f"--snapshot={snapshot}", f"--file={file}")
            yield connection
    finally:
        await database.close()


async def check_empty(url: str) -> None:
    """Makes sure that a database holds nothing that restoring one would meet.

    Raises:
        ConflictError: TARGET_NOT_EMPTY.
        UnavailableError: STORE_UNAVAILABLE.
    """
    if kind(url) == "sqlite":
        empty = not _file(url).exists()
    else:
        database = Database(url)
        try:
            async with database.read() as connection:
                tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
                empty = not await connection.scalar(sql.text(tables))
        finally:
            await database.close()
    if not empty:
        raise ConflictError("TARGET_NOT_EMPTY", f"{_shown(url)} is not empty: restore into an empty one")


async def restore(file: Path, url: str) -> None:
    """Puts a copy where an empty database is.

    Raises:
        FaultError: TOOL_MISSING or TOOL_FAILED.
    """
    if kind(url) == "sqlite":
        target = _file(url)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        await asyncio.to_thread(shutil.copyfile, file, target)
    else:
        await _run(url, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction", file)


def _file(url: str) -> Path:
    return Path(sql.make_url(url).database or "")


def _shown(url: str) -> str:
    return sql.make_url(url).render_as_string(hide_password=True)


def _copy_sqlite(source: Path, target: Path) -> None:
    if not source.exists():
        raise NotFoundError("DATABASE_MISSING", f"there is no {source}: are these the service's settings?")
    with closing(sqlite3.connect(source)) as connection, closing(sqlite3.connect(target)) as copy:
        connection.backup(copy)


async def _run(url: str, program: str, *arguments: str | Path) -> None:
    """Runs one of PostgreSQL's programs; the password reaches it where other users do not see it."""
    parsed = sql.make_url(url)
    path = shutil.which(program)
    if path is None:
        raise FaultError("TOOL_MISSING", f"{program} is not installed: it comes with PostgreSQL's client programs")
    environment = os.environ | ({"PGPASSWORD": str(parsed.password)} if parsed.password else {})
    target = parsed.set(password=None).render_as_string()
    command: Sequence[str | Path] = (path, f"--dbname={target}", *arguments)
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdin=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
    )
    _, said = await process.communicate()
    if process.returncode:
        last = said.decode("utf-8", "replace").strip().splitlines()[-1:]
        raise FaultError("TOOL_FAILED", f"{program} ended with exit code {process.returncode}: {''.join(last)}")
