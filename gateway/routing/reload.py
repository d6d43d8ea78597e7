"""Takes up changes of the routes' file while the gateway runs."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog

from gateway.routing import metrics
from gateway.routing.model import Routes

log = structlog.get_logger(__name__)

_EVERY_S = 1.0


async def reload(file: Path, read: Callable[[], Routes], apply: Callable[[Routes], Awaitable[None]]) -> None:
    """Watches the file until cancelled. While it is wrong or away, the table stays as it is.

    Args:
        file: The file of routes.
        read: Reads the whole table, that file included; raises ValueError where it is wrong.
        apply: Puts a table into force.
    """
    seen = await asyncio.to_thread(_look, file, (0.0, None))
    while True:
        await asyncio.sleep(_EVERY_S)
        latest = await asyncio.to_thread(_look, file, seen)
        changed = latest[1] != seen[1]
        seen = latest
        if not changed:
            continue
        try:
            routes = await asyncio.to_thread(read)
        except ValueError as error:
            metrics.TABLE_REFUSED.inc()
            log.error("the changed routes are wrong; those from before stay in force", problem=str(error))  # noqa: TRY400  # the message says it all
            continue
        await apply(routes)
        log.info("the changed routes are in force", services=sorted(routes))


def _look(file: Path, seen: tuple[float, bytes | None]) -> tuple[float, bytes | None]:
    """Time of change and content of the file, which is read only where the time is another than the last one."""
    try:
        changed_at = file.stat().st_mtime
        return seen if changed_at == seen[0] else (changed_at, file.read_bytes())
    except OSError:
        return 0.0, None
