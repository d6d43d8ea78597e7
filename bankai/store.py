"""A service's own database: SQLite in a file by default, PostgreSQL by URL.

What goes wrong with it reaches callers as STORE_UNAVAILABLE; only violated constraints leave as SQLAlchemy's
IntegrityError, for whoever provoked them.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sql
import structlog
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from bankai.errors import FaultError, UnavailableError
from bankai.occupancy import Occupancy

log = structlog.get_logger(__name__)

SCHEMES = ("sqlite:///", "postgresql://")
"""How the URL of a database begins."""

_DRIVERS = {"sqlite": "sqlite+aiosqlite", "postgresql": "postgresql+asyncpg"}
_BUSY_MS = 10_000
_RETRY_AFTER_S = 1.0
_CLOSE_S = 10.0
_READ_ONLY = "bankai_read_only"
_CREATE_LOCK = 0x62616E6B

_meta = sql.MetaData()
_versions = sql.Table(
    "bankai_store_versions",
    _meta,
    sql.Column("component", sql.String(63), primary_key=True),
    sql.Column("version", sql.Integer, nullable=False),
)


class Database:
    """Hands out connections. Opens the first one when it is used.

    Args:
        url: sqlite:///relative.db, sqlite:////absolute.db or postgresql://user:password@host:port/name.
    """

    def __init__(self, url: str) -> None:
        parsed = sql.make_url(url)
        self._url = parsed.set(drivername=_DRIVERS[parsed.drivername])
        self._sqlite = parsed.drivername == "sqlite"
        self._engine = create_async_engine(self._url, pool_pre_ping=not self._sqlite)
        self._transactions = Occupancy()
        if self._sqlite:
            _tune_sqlite(self._engine)

    async def prepare(self, component: str, tables: sql.MetaData, version: int) -> None:
        """Makes the tables that are not there yet.

        Args:
            component: Whose tables they are.
            tables: The tables.
            version: Version of their layout.

        Raises:
            FaultError: STORE_VERSION_UNKNOWN, where another release of the product has laid them out.
            UnavailableError: STORE_UNAVAILABLE.
        """
        if self._sqlite and self._url.database:
            with _Translated():
                Path(self._url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        async with self.write() as connection:
            if not self._sqlite:  # processes that start at once must not make the same tables; SQLite lets one write
                await connection.execute(sql.select(sql.func.pg_advisory_xact_lock(_CREATE_LOCK)))
            await connection.run_sync(_meta.create_all)
            row = _versions.c.component == component
            found = await connection.scalar(sql.select(_versions.c.version).where(row))
            if found is None:
                await connection.execute(_versions.insert().values(component=component, version=version))
            elif found != version:
                raise FaultError(
                    "STORE_VERSION_UNKNOWN",
                    f"the database holds version {found} of {component}; this release reads version {version}: run the "
                    "release that wrote it, or name another database",
                )
            await connection.run_sync(tables.create_all)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that only reads.

        Raises:
            UnavailableError: STORE_UNAVAILABLE.
        """
        with self._transactions.entered(), _Translated():
            async with self._engine.connect() as connection:
                yield await connection.execution_options(**{_READ_ONLY: True})

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """A transaction that is committed at the end, and rolled back where an exception leaves it.

        Raises:
            UnavailableError: STORE_UNAVAILABLE.
        """
        with self._transactions.entered(), _Translated():
            async with self._engine.begin() as connection:
                yield connection

    async def scrub(self) -> None:
        """Overwrites what erased rows have left in SQLite's log; its other pages are overwritten as rows are erased.

        PostgreSQL frees what rows have left when it vacuums, and uses it anew.

        Raises:
            UnavailableError: STORE_UNAVAILABLE.
        """
        if not self._sqlite:
            return
        with self._transactions.entered(), _Translated():
            async with self._engine.connect() as connection:
                raw = await connection.get_raw_connection()  # it is no statement of a transaction
                driver: Any = raw.driver_connection
                await (await driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")).close()

    async def close(self) -> None:
        """Closes every connection, once the transactions under way have ended."""
        # A task that was cancelled twice may still be writing behind its shield; SQLAlchemy would leak its connection.
        await self._transactions.emptied(_CLOSE_S)
        await self._engine.dispose()


class _Translated:
    """Turns the drivers' errors into ours; what they say is for the log: it may quote values."""

    def __enter__(self) -> None:
        pass

    def __exit__(self, _type: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, IntegrityError) or not isinstance(error, DBAPIError | OSError):
            return
        cause = error.orig if isinstance(error, DBAPIError) else error
        log.error("the database does not answer", error=type(cause).__name__)
        raise UnavailableError(
            "STORE_UNAVAILABLE", "the service's database does not answer now; try again", retry_after=_RETRY_AFTER_S
        ) from error


def _tune_sqlite(engine: AsyncEngine) -> None:
    """Lets readers go on beside the one writer, and takes the write lock at the begin, where waiting for it works.

    A transaction that reads first and then wants to write fails at once in SQLite when another has written between.
    """

    @sql.event.listens_for(engine.sync_engine, "connect")
    def connected(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # the driver begins no transactions of its own
        cursor = connection.cursor()
        for pragma in ("journal_mode = WAL", f"busy_timeout = {_BUSY_MS}", "foreign_keys = ON", "secure_delete = ON"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @sql.event.listens_for(engine.sync_engine, "begin")
    def begun(connection: sql.Connection) -> None:
        read_only = connection.get_execution_options().get(_READ_ONLY)
        connection.exec_driver_sql("BEGIN" if read_only else "BEGIN IMMEDIATE")
