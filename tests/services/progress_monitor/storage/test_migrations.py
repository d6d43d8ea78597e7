from pathlib import Path

import sqlalchemy as sql
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bankai.store import Database
from services.progress_monitor.storage.migrations.upgrading import upgrade
from services.progress_monitor.storage.tables import meta


async def test_migrations_make_the_tables_that_the_code_reads(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'one.db'}")

    def differences(connection: sql.Connection) -> list[object]:
        mine = {"include_name": lambda name, kind, _: kind != "table" or name in meta.tables}
        return list(compare_metadata(MigrationContext.configure(connection, opts=mine), meta))

    try:
        await upgrade(database)
        async with database.read() as connection:
            assert await connection.run_sync(differences) == []
    finally:
        await database.close()
