"""The progress_monitor service's part of `bankai demo`."""

import asyncio
from importlib.resources import files
from pathlib import Path

from rich.console import Console

from bankai.cli.connection import Connection
from bankai.client.progress import ProgressClient
from bankai.progress.v1 import progress_pb2 as pb
from bankai.timestamps import timestamp
from services.progress_monitor.cli.dossier import gather
from services.progress_monitor.cli.reporting import report_html
from services.progress_monitor.cli.running import draw
from services.progress_monitor.cli.tables import show_state
from services.progress_monitor.site_files import read_site

REPORT = Path("var/demo/site-report.html")
"""Where the report is written."""

_ID = "demo-site"


async def show_sample(connection: Connection, console: Console) -> None:
    """Registers the sample site, sends its pictures, and shows what is known of it.

    Raises:
        BankaiError: The service cannot be reached, or refused something.
    """
    folder = Path(str(files("services.progress_monitor.cli"))) / "samples" / "site"
    site = read_site(folder)
    console.rule("[bold]A factory site, simulated, on 24 satellite pictures[/bold]", align="left")
    project = pb.Project(project_id=_ID, name="Sample factory", aoi_geojson=site.aoi)
    for point in site.plan:
        project.plan.add(time=timestamp(point.time), progress=point.progress)
    for number, share in ((1, 0.35), (2, 0.9)):
        due = next(point.time for point in site.plan if point.progress >= share)
        project.drawdowns.add(drawdown_id=f"D{number}", time=timestamp(due), required_progress=share)
    async with connection.channel() as channel:
        client = ProgressClient(channel, connection.metadata)
        await client.register(project)
        with console.status("Measuring the pictures"):
            for picture in site.pictures:
                config = pb.ObservationConfig(
                    project_id=_ID, acquire_time=timestamp(picture.time), sensor=pb.SENSOR_SENTINEL2_L2A
                )
                await client.observe(config, picture.path)
        dossier = await gather(client, _ID)
        draw(dossier, console)
        show_state(dossier.timeline.latest, dossier.checks, console)
        await asyncio.to_thread(_write, await report_html(client, dossier))
    console.print(f"The report with before and after, evidence and decisions: [cyan]{REPORT}[/cyan]")


def _write(page: str) -> None:
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(page, encoding="utf-8")
