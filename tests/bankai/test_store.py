import asyncio
from pathlib import Path

import sqlalchemy as sql

from bankai.store import Database

_TABLES = sql.MetaData()
_WORDS = sql.Table("words", _TABLES, sql.Column("word", sql.String))


async def test_closing_waits_for_a_transaction_that_outlives_its_caller(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/words.db"
    database = Database(url)
    await database.prepare("words", _TABLES, 1)
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with database.write() as connection:
            await connection.execute(_WORDS.insert().values(word="kept"))
            begun.set()
            await may_end.wait()

    async def caller() -> None:
        await asyncio.shield(write())

    calling = asyncio.create_task(caller())
    await begun.wait()
    calling.cancel()
    await asyncio.wait((calling,))
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    assert not closing.done()
    may_end.set()
    await closing

    again = Database(url)
    async with again.read() as connection:
        assert (await connection.scalars(sql.select(_WORDS.c.word))).all() == ["kept"]
    await again.close()
