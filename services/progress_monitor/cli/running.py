"""What the commands below `bankai progress` do, through a running gateway."""

import asyncio
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bankai.cli.connection import Connection
from bankai.cli.report import progress as bar
from bankai.cli.report import screen
from bankai.client.progress import ProgressClient
from bankai.errors import InvalidRequestError
from bankai.evaluation.inputs import BadInputError, read_text
from bankai.progress.v1 import progress_pb2 as pb
from bankai.timestamps import timestamp
from services.progress_monitor.cli.dossier import Dossier, gather
from services.progress_monitor.cli.plotting import plot_png, terminal_plot
from services.progress_monitor.cli.reporting import report_html
from services.progress_monitor.cli.tables import show_course, show_state, status_name
from services.progress_monitor.site_files import instant, sensor_named

_DATE = re.compile(r"(\d{4})-?(\d{2})-?(\d{2})")


@dataclass(frozen=True, slots=True)
class NewSite:
    """What a user says of a project.

    Attributes:
        name: For people.
        aoi: GeoJSON file of the polygon.
        crs: The polygon's CRS; empty for what the file says.
        plan: JSON file of the plan; None without one.
    """

    name: str
    aoi: Path
    crs: str
    plan: Path | None


@dataclass(frozen=True, slots=True)
class Shots:
    """What a user says of pictures.

    Attributes:
        sensor: Name of the sensor.
        date: When they were taken; empty for what their names say.
        offset: Digital number of no light; None for what is usual.
    """

    sensor: str
    date: str
    offset: float | None


async def add_project(reached: Connection, project_id: str, site: NewSite) -> None:
    """Registers a project.

    Raises:
        BadInputError: A file cannot be used.
        BankaiError: The service refused it, or cannot be reached.
    """
    message = pb.Project(project_id=project_id, name=site.name, aoi_geojson=read_text(site.aoi), aoi_crs=site.crs)
    if site.plan is not None:
        _add_plan(message, site.plan)
    async with reached.channel() as channel:
        kept = await ProgressClient(channel, reached.metadata).register(message)
    screen().print(f"{kept.project_id} is registered: {kept.area_m2 / 1e4:,.1f} ha, {len(kept.drawdowns)} drawdowns")


async def observe_all(reached: Connection, project_id: str, files: Sequence[Path], shots: Shots) -> None:
    """Sends pictures, and says of each what became of it.

    Raises:
        BankaiError: The service refused one, or cannot be reached.
    """
    kind = sensor_value(shots.sensor)
    for file in files:
        if not file.is_file():
            raise BadInputError(file, None, "is no file")
    console = screen()
    async with reached.channel() as channel:
        client = ProgressClient(channel, reached.metadata)
        for file in bar(files, "pictures"):
            config = pb.ObservationConfig(
                project_id=project_id,
                acquire_time=timestamp(_acquired(file, shots.date)),
                sensor=kind,
                radiometric_offset=shots.offset,
            )
            seen = await client.observe(config, file)
            console.print(f"{file.name}: {status_name(seen)}, {seen.usable_share:.0%} of the site seen {seen.reason}")


async def show_assessment(reached: Connection, project_id: str, as_of: str) -> None:
    """Prints how far a project is.

    Raises:
        BankaiError: The service cannot be reached, or knows no such project.
    """
    request = pb.AssessRequest(project_id=project_id)
    if as_of:
        request.as_of.CopyFrom(timestamp(date_value(as_of)))
    async with reached.channel() as channel:
        client = ProgressClient(channel, reached.metadata)
        found = await client.assess(request)
        project = await client.project(project_id)
        checks = []
        for drawdown in project.drawdowns:
            check = pb.CheckDrawdownRequest(project_id=project_id, drawdown_id=drawdown.drawdown_id)
            if as_of:
                check.as_of.CopyFrom(request.as_of)
            checks.append((drawdown, await client.check_drawdown(check)))
    show_state(found, checks, screen())


async def show_timeline(reached: Connection, project_id: str, plot: Path | None) -> None:
    """Prints a project's course.

    Raises:
        BankaiError: The service cannot be reached, or knows no such project.
    """
    async with reached.channel() as channel:
        client = ProgressClient(channel, reached.metadata)
        dossier = await gather(client, project_id)
    console = screen()
    show_course(dossier.timeline, console)
    draw(dossier, console)
    if plot is not None:
        await asyncio.to_thread(plot.write_bytes, plot_png(dossier))
        console.print(f"The curve is in {plot}")


async def write_report(reached: Connection, project_id: str, out: Path) -> None:
    """Writes a project's report.

    Raises:
        BankaiError: The service cannot be reached, or knows no such project.
    """
    async with reached.channel() as channel:
        client = ProgressClient(channel, reached.metadata)
        dossier = await gather(client, project_id)
        page = await report_html(client, dossier)
    await asyncio.to_thread(out.write_text, page, encoding="utf-8")
    screen().print(f"The report is in {out}: open it in a browser")


def draw(dossier: Dossier, console: Console) -> None:
    """Draws the course on the terminal."""
    console.file.write(terminal_plot(dossier, min(console.width, 100)) + "\n")


def sensor_value(name: str) -> pb.Sensor.ValueType:
    """The sensor that a user names.

    Raises:
        InvalidRequestError: SENSOR_UNKNOWN.
    """
    kind = sensor_named(name)
    if kind is None:
        raise InvalidRequestError("SENSOR_UNKNOWN", f"{name!r} is no sensor: see --help")
    return pb.Sensor.Value(f"SENSOR_{kind.name}")


def date_value(text: str) -> float:
    """The time that a user names, in seconds since 1970.

    Raises:
        InvalidRequestError: DATE_INVALID.
    """
    try:
        return instant(text)
    except ValueError:
        raise InvalidRequestError("DATE_INVALID", f"{text!r} is no date: write it as 2026-09-01") from None


def _add_plan(message: pb.Project, file: Path) -> None:
    try:
        content = json.loads(read_text(file))
        for point in content.get("plan", ()):
            message.plan.add(time=timestamp(instant(point["date"])), progress=point["progress"])
        for each in content.get("milestones", ()):
            message.milestones.add(name=each["name"], time=timestamp(instant(each["date"])), progress=each["progress"])
        for each in content.get("drawdowns", ()):
            message.drawdowns.add(
                drawdown_id=each["id"],
                time=timestamp(instant(each["date"])),
                required_progress=each["required"],
                claimed_progress=each.get("claimed", 0.0),
            )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInputError(file, None, f"is no plan as --help shows it ({error})") from None


def _acquired(file: Path, date: str) -> float:
    if date:
        return date_value(date)
    match = _DATE.search(file.name)
    if match is None:
        raise InvalidRequestError("DATE_REQUIRED", f"{file.name} does not say when it was taken: give --date")
    try:
        return datetime.strptime("".join(match.groups()) + "12", "%Y%m%d%H").replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise InvalidRequestError("DATE_REQUIRED", f"{file.name} names no real date: give --date") from None
