"""What `bankai progress import-stac` does."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from bankai.cli.connection import Connection
from bankai.cli.report import screen
from bankai.client.progress import ProgressClient
from bankai.progress.v1 import progress_pb2 as pb
from bankai.timestamps import timestamp
from services.progress_monitor.cli.running import date_value, sensor_value
from services.progress_monitor.cli.tables import status_name

_ELSEWHERE = {"ITEM_OFF_SITE", "ITEM_OUT_OF_RANGE"}
"""Why most items of a large catalogue are skipped: they are counted, not listed."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a user wants of a catalogue.

    Attributes:
        catalogue: An address, or a path.
        since: Only items taken since; empty for all.
        until: Only items taken until; empty for all.
        sensor: Name of the sensor; empty for what the items say.
    """

    catalogue: str
    since: str
    until: str
    sensor: str


async def import_all(reached: Connection, project_id: str, asked: Asked) -> None:
    """Imports a catalogue, and says of each item what became of it.

    Raises:
        BankaiError: The service refused it, or cannot be reached.
    """
    request = pb.ImportStacRequest(project_id=project_id, uri=_uri(asked.catalogue))
    if asked.since:
        request.start_time.CopyFrom(timestamp(date_value(asked.since)))
    if asked.until:
        request.end_time.CopyFrom(timestamp(date_value(asked.until)))
    if asked.sensor:
        request.sensor = sensor_value(asked.sensor)
    console = screen()
    counts: Counter[pb.ImportStatus.ValueType] = Counter()
    async with reached.channel() as channel:
        async for each in ProgressClient(channel, reached.metadata).import_stac(request):
            counts[each.status] += 1
            if each.reason not in _ELSEWHERE:
                console.print(f"{counts.total()}/{each.items} {each.item_id}: {_told(each)}", markup=False)
    console.print(
        f"{counts[pb.IMPORT_STATUS_IMPORTED]} imported, {counts[pb.IMPORT_STATUS_ALREADY_THERE]} already there, "
        f"{counts[pb.IMPORT_STATUS_SKIPPED]} skipped"
    )


def _uri(catalogue: str) -> str:
    return catalogue if "://" in catalogue else Path(catalogue).absolute().as_uri()


def _told(each: pb.ImportStacResponse) -> str:
    if each.status == pb.IMPORT_STATUS_SKIPPED:
        return f"skipped, {each.message} ({each.reason})"
    was = "already there, " if each.status == pb.IMPORT_STATUS_ALREADY_THERE else ""
    seen = each.observation
    return f"{was}{status_name(seen)}, {seen.usable_share:.0%} of the site seen {seen.reason}".rstrip()
