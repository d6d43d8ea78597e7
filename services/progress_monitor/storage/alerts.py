"""Keeps the alerts that were raised."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sql
from pydantic import TypeAdapter
from sqlalchemy.exc import IntegrityError

from bankai.store import Database
from services.progress_monitor.meaning.alerts import Alert
from services.progress_monitor.storage.tables import alerts

_ALERT = TypeAdapter(Alert)
_PAGE = 200


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert that was raised.

    Attributes:
        number: In the order in which alerts were raised.
        project_id: Id of the project.
        time: When, seconds since 1970.
        alert: The alert.
    """

    number: int
    project_id: str
    time: float
    alert: Alert


class AlertStore:
    """Keeps alerts.

    Args:
        database: Where.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def raise_new(self, project_id: str, found: Sequence[Alert]) -> int:
        """Raises the alerts that were not raised before; returns how many."""
        new = 0
        for alert in found:
            row = {
                "project_id": project_id,
                "key": f"{alert.kind.value}@{alert.since:.0f}",
                "raised": time.time(),
                "content": _ALERT.dump_json(alert).decode(),
            }
            try:
                async with self._database.write() as connection:
                    await connection.execute(alerts.insert().values(row))
            except IntegrityError:  # raised before, or the project was erased meanwhile
                continue
            new += 1
        return new

    async def newest(self) -> int:
        """Number of the alert that was raised last; 0 without any."""
        async with self._database.read() as connection:
            return int(await connection.scalar(sql.select(sql.func.max(alerts.c.number))) or 0)

    async def after(self, number: int, since: float = 0.0, project_id: str = "") -> Sequence[Raised]:
        """Alerts behind a number, some at a time.

        Args:
            number: Only those behind it.
            since: Only those raised at or after this, seconds since 1970.
            project_id: Only those of one project; empty for all.
        """
        query = sql.select(alerts).where(alerts.c.number > number, alerts.c.raised >= since)
        if project_id:
            query = query.where(alerts.c.project_id == project_id)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(alerts.c.number).limit(_PAGE))).mappings().all()
        return [
            Raised(row["number"], row["project_id"], row["raised"], _ALERT.validate_json(row["content"]))
            for row in rows
        ]
