"""One piece of work on a project after the other, whichever process does it."""

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar
from weakref import WeakValueDictionary

import structlog
from sqlalchemy.exc import IntegrityError

from bankai.errors import BankaiError, UnavailableError
from bankai.leases import LeaseLostError, under_lease
from bankai.store import Database
from services.progress_monitor.storage.tables import turns

log = structlog.get_logger(__name__)

Outcome = TypeVar("Outcome")

_POLL_S = 0.1
_RETRY_AFTER_S = 1.0


class Turns:
    """Lets one at a time work on a project. Belongs to the event loop that uses it.

    Args:
        database: Where it is kept whose turn it is.
        lease_s: Seconds after which the turn of a process that died is over.
    """

    def __init__(self, database: Database, lease_s: float) -> None:
        self._database, self._lease_s = database, lease_s
        self._here: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def alone(
        self,
        project_id: str,
        work: Callable[[], Awaitable[Outcome]],
        *,
        timeout: float,  # noqa: ASYNC109  # part of a deadline
    ) -> Outcome:
        """Does work on a project while nobody else does.

        Args:
            project_id: Id of the project.
            work: The work.
            timeout: Seconds to wait for the turn.

        Raises:
            UnavailableError: PROJECT_BUSY; the turn did not come, or was lost.
            Exception: What the work raises.
        """
        end = asyncio.get_running_loop().time() + timeout
        here = self._here.setdefault(project_id, asyncio.Lock())
        try:
            async with asyncio.timeout(timeout):
                await here.acquire()
        except TimeoutError:
            raise _busy() from None
        try:
            return await self._in_turn(project_id, work, end)
        finally:
            here.release()

    async def _in_turn(self, project_id: str, work: Callable[[], Awaitable[Outcome]], end: float) -> Outcome:
        """The same among processes."""
        holder = secrets.token_hex(16)
        try:
            while not await self._claim(project_id, holder):
                if asyncio.get_running_loop().time() >= end:
                    raise _busy()
                await asyncio.sleep(_POLL_S)  # another process has it, and sets no event of ours
            return await under_lease(work(), self._lease_s, lambda: self._renew(project_id, holder))
        except LeaseLostError:
            raise _busy() from None
        finally:
            await asyncio.shield(self._release(project_id, holder))

    async def _claim(self, project_id: str, holder: str) -> bool:
        now = time.time()
        mine = {"holder": holder, "lease_until": now + self._lease_s}
        over = (turns.c.project_id == project_id, turns.c.lease_until < now)
        try:
            async with self._database.write() as connection:
                if not (await connection.execute(turns.update().where(*over).values(mine))).rowcount:
                    await connection.execute(turns.insert().values(mine | {"project_id": project_id}))
        except IntegrityError:
            return False
        return True

    async def _renew(self, project_id: str, holder: str) -> bool:
        mine = turns.update().where(turns.c.project_id == project_id, turns.c.holder == holder)
        async with self._database.write() as connection:
            renewed = await connection.execute(mine.values(lease_until=time.time() + self._lease_s))
            return renewed.rowcount == 1

    async def _release(self, project_id: str, holder: str) -> None:
        """Ends a turn, if it came. Where that fails, its lease runs out: what was done is done."""
        try:
            async with self._database.write() as connection:
                mine = (turns.c.project_id == project_id, turns.c.holder == holder)
                await connection.execute(turns.delete().where(*mine))
        except BankaiError as error:
            log.warning("a turn was not ended", reason=error.reason)


def _busy() -> UnavailableError:
    return UnavailableError(
        "PROJECT_BUSY", "another picture of the project is being measured; try again", retry_after=_RETRY_AFTER_S
    )
