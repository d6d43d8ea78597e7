"""Brings the database to the tables of this release."""

from pathlib import Path

import sqlalchemy as sql
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from bankai.errors import FaultError
from bankai.store import Database

_LOCK = 0x70726F67
_VERSIONS = "progress_alembic_version"


async def upgrade(database: Database) -> None:
    """Runs the migrations that the database has not seen.

    Raises:
        FaultError: STORE_VERSION_UNKNOWN, where a later release has migrated it.
        UnavailableError: STORE_UNAVAILABLE.
    """
    await database.prepare("progress_monitor", sql.MetaData(), 1)
    async with database.write() as connection:
        if connection.dialect.name == "postgresql":  # processes that start at once must not migrate twice
            await connection.execute(sql.select(sql.func.pg_advisory_xact_lock(_LOCK)))
        await connection.run_sync(_run)


def _run(connection: sql.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    now = MigrationContext.configure(connection, opts={"version_table": _VERSIONS}).get_current_revision()
    if now is not None and now not in {script.revision for script in scripts.walk_revisions()}:
        raise FaultError(
            "STORE_VERSION_UNKNOWN",
            "a later release has changed the database: run that release, or name another database",
        )
    command.upgrade(config, "head")
