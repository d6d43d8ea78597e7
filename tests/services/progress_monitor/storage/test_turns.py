import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial
from pathlib import Path

import pytest

from bankai.errors import InvalidRequestError, UnavailableError
from bankai.store import Database
from services.progress_monitor.storage.migrations.upgrading import upgrade
from services.progress_monitor.storage.turns import Turns
from tests.services.postgres import Postgres, postgres

pytestmark = pytest.mark.slow

LONG_S = 60.0


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("postgres")) as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
async def databases(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Database, Database]]:
    """One database as two processes have it."""
    if request.param == "postgresql":
        url = request.getfixturevalue("server").new_database()
    else:
        url = f"sqlite:///{tmp_path / 'one.db'}"
    one, two = Database(url), Database(url)
    await upgrade(one)
    yield one, two
    await one.close()
    await two.close()


async def test_one_at_a_time_in_all_processes(databases: tuple[Database, Database]) -> None:
    both = [Turns(database, LONG_S) for database in databases]
    inside: list[int] = []
    most = 0

    async def work(number: int) -> int:
        nonlocal most
        inside.append(number)
        most = max(most, len(inside))
        await asyncio.sleep(0.02)
        inside.remove(number)
        return number

    done = await asyncio.gather(
        *(both[number % 2].alone("p", partial(work, number), timeout=LONG_S) for number in range(10))
    )
    assert (done, most) == (list(range(10)), 1)


async def test_projects_do_not_wait_for_each_other(databases: tuple[Database, Database]) -> None:
    one, two = (Turns(database, LONG_S) for database in databases)

    async def other() -> str:
        return await two.alone("q", done, timeout=LONG_S)

    assert await one.alone("p", other, timeout=LONG_S) == "done"


async def test_who_waits_too_long_is_told(databases: tuple[Database, Database]) -> None:
    one, two = (Turns(database, LONG_S) for database in databases)

    async def meanwhile() -> None:
        for turns in (one, two):
            with pytest.raises(UnavailableError) as caught:
                await turns.alone("p", done, timeout=0.2)
            assert caught.value.reason == "PROJECT_BUSY"

    await one.alone("p", meanwhile, timeout=LONG_S)
    assert await two.alone("p", done, timeout=LONG_S) == "done"  # and the turn is free again


async def test_a_failure_ends_the_turn(databases: tuple[Database, Database]) -> None:
    one, two = (Turns(database, LONG_S) for database in databases)

    async def failing() -> None:
        raise InvalidRequestError("BAD", "bad")

    with pytest.raises(InvalidRequestError):
        await one.alone("p", failing, timeout=LONG_S)
    assert await two.alone("p", done, timeout=1) == "done"


async def test_the_turn_of_a_process_that_died_runs_out(databases: tuple[Database, Database]) -> None:
    dead, living = Turns(databases[0], 0.5), Turns(databases[1], LONG_S)
    assert await dead._claim("p", "gone")  # as a process that was killed leaves it
    assert await living.alone("p", done, timeout=LONG_S) == "done"


async def test_a_lost_turn_ends_the_work(databases: tuple[Database, Database]) -> None:
    one, two = Turns(databases[0], 1.0), Turns(databases[1], LONG_S)
    ended = asyncio.Event()

    async def long() -> None:
        try:
            await asyncio.sleep(LONG_S)
        finally:
            ended.set()

    async def stolen() -> None:
        async with databases[1].write() as connection:
            await connection.exec_driver_sql("UPDATE progress_turns SET lease_until = 0")
        await two.alone("p", done, timeout=LONG_S)

    async def robbed() -> None:
        with pytest.raises(UnavailableError) as caught:
            await one.alone("p", long, timeout=LONG_S)
        assert caught.value.reason == "PROJECT_BUSY"

    working = asyncio.create_task(robbed())
    while not await _held(databases[0]):  # noqa: ASYNC110  # the database sets no event
        await asyncio.sleep(0.01)
    await stolen()
    async with asyncio.timeout(30):
        await working
    assert ended.is_set()


async def _held(database: Database) -> bool:
    async with database.read() as connection:
        return (await connection.exec_driver_sql("SELECT count(*) FROM progress_turns")).scalar() == 1


async def done() -> str:
    return "done"
