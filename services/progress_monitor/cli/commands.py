"""`bankai progress`: projects, their pictures, and how far they are."""

from pathlib import Path
from typing import Annotated

import typer

from bankai.cli.connection import DEFAULT_ADDRESS, AddressOption, ApiKeyFileOption, ApiKeyOption, CaOption

_Project = Annotated[str, typer.Argument(help="Id of the project.", metavar="PROJECT")]


def progress() -> typer.Typer:
    """The commands below `bankai progress`."""
    group = typer.Typer(no_args_is_help=True, help="How far financed construction projects really are.")
    for command in (add, observe, import_stac, assess, timeline, report, compare):
        group.command()(command)
    return group


def add(
    project: _Project,
    *,
    aoi: Annotated[Path, typer.Option(help="GeoJSON file of the site's polygon.")],
    name: Annotated[str, typer.Option(help="Name for people.")] = "",
    crs: Annotated[str, typer.Option(help="The polygon's CRS, e.g. EPSG:32650; WGS 84 unless the file says.")] = "",
    plan: Annotated[Path | None, typer.Option(help="JSON file of the plan; see below.", metavar="PLAN.json")] = None,
    address: AddressOption = DEFAULT_ADDRESS,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """Register a project.

    \b
    Examples:
      bankai progress add hangar-7 --aoi site.geojson --plan plan.json
    \b
    plan.json:
      {"plan": [{"date": "2026-01-01", "progress": 0}, {"date": "2027-03-01", "progress": 1}],
       "milestones": [{"name": "roof closed", "date": "2026-12-01", "progress": 0.9}],
       "drawdowns": [{"id": "D2", "date": "2026-09-01", "required": 0.4, "claimed": 0.45}]}
    """
    import asyncio

    from bankai.cli.connection import connection
    from services.progress_monitor.cli.running import NewSite, add_project

    reached = connection(address, api_key, api_key_file, ca)
    asyncio.run(add_project(reached, project, NewSite(name, aoi, crs, plan)))


def observe(
    project: _Project,
    files: Annotated[list[Path], typer.Argument(help="Pictures: GeoTIFF.", metavar="FILE...")],
    *,
    sensor: Annotated[str, typer.Option(help="sentinel2_l1c, sentinel2_l2a, landsat_l2 or rgb.")] = "sentinel2_l2a",
    date: Annotated[
        str, typer.Option(help="When it was taken, ISO 8601; from the file's name (YYYY-MM-DD) unless said.")
    ] = "",
    offset: Annotated[
        float | None, typer.Option(help="Digital number of no light, e.g. -1000 for Sentinel-2 since 2022.")
    ] = None,
    address: AddressOption = DEFAULT_ADDRESS,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """Send pictures of a site.

    \b
    Examples:
      bankai progress observe hangar-7 2026-*.tif
      bankai progress observe hangar-7 drone.tif --sensor rgb --date 2026-05-04T10:30
    """
    import asyncio

    from bankai.cli.connection import connection
    from services.progress_monitor.cli.running import Shots, observe_all

    reached = connection(address, api_key, api_key_file, ca)
    asyncio.run(observe_all(reached, project, files, Shots(sensor, date, offset)))


def import_stac(
    project: _Project,
    catalogue: Annotated[
        str, typer.Argument(help="file:///..., s3://bucket/... or a path, as the service sees it.", metavar="CATALOGUE")
    ],
    *,
    since: Annotated[str, typer.Option("--from", help="Only items taken since, ISO 8601.")] = "",
    until: Annotated[str, typer.Option(help="Only items taken until, ISO 8601.")] = "",
    sensor: Annotated[
        str, typer.Option(help="sentinel2_l1c, sentinel2_l2a, landsat_l2 or rgb; what the items say unless given.")
    ] = "",
    address: AddressOption = DEFAULT_ADDRESS,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """Import what a static STAC catalogue holds of a site; the service must be allowed to read it.

    \b
    Examples:
      bankai progress import-stac hangar-7 s3://scenes/sentinel-2/catalog.json --from 2026-01-01
      bankai progress import-stac hangar-7 /data/scenes/items.json --sensor rgb
    """
    import asyncio

    from bankai.cli.connection import connection
    from services.progress_monitor.cli.importing import Asked, import_all

    reached = connection(address, api_key, api_key_file, ca)
    asyncio.run(import_all(reached, project, Asked(catalogue, since, until, sensor)))


def assess(
    project: _Project,
    *,
    as_of: Annotated[str, typer.Option(help="As of when, ISO 8601; now unless said.")] = "",
    address: AddressOption = DEFAULT_ADDRESS,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """Say how far a project is, what is wrong, and what to do about its drawdowns.

    \b
    Example:
      bankai progress assess hangar-7 --as-of 2026-09-01
    """
    import asyncio

    from bankai.cli.connection import connection
    from services.progress_monitor.cli.running import show_assessment

    asyncio.run(show_assessment(connection(address, api_key, api_key_file, ca), project, as_of))


def timeline(
    project: _Project,
    *,
    plot: Annotated[Path | None, typer.Option(help="Draw the course into this .png.")] = None,
    address: AddressOption = DEFAULT_ADDRESS,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """Show a project's course, date by date, and the plan beside it.

    \b
    Example:
      bankai progress timeline hangar-7 --plot hangar-7.png
    """
    import asyncio

    from bankai.cli.connection import connection
    from services.progress_monitor.cli.running import show_timeline

    asyncio.run(show_timeline(connection(address, api_key, api_key_file, ca), project, plot))


def report(
    project: _Project,
    *,
    out: Annotated[Path, typer.Option(help="HTML file to write; opens offline.")] = Path("report.html"),
    address: AddressOption = DEFAULT_ADDRESS,
    api_key: ApiKeyOption = None,
    api_key_file: ApiKeyFileOption = None,
    ca: CaOption = None,
) -> None:
    """Write the report on which a drawdown can be decided: curve, before and after, alerts, drawdowns.

    \b
    Example:
      bankai progress report hangar-7 --out hangar-7.html
    """
    import asyncio

    from bankai.cli.connection import connection
    from services.progress_monitor.cli.running import write_report

    asyncio.run(write_report(connection(address, api_key, api_key_file, ca), project, out))


def compare(
    before: Annotated[Path, typer.Argument(help="GeoTIFF of a scene.", metavar="BEFORE.tif")],
    after: Annotated[Path, typer.Argument(help="GeoTIFF of the same pixels later.", metavar="AFTER.tif")],
    out: Annotated[Path, typer.Option(help="GeoTIFF to write: the probability of change in percent.")] = Path(
        "change.tif"
    ),
) -> None:
    """Compare two whole scenes, without a service; memory stays the same however large they are.

    \b
    Example:
      bankai progress compare T50RPU_2025.tif T50RPU_2026.tif --out change.tif
    """
    from services.progress_monitor.cli.judging import scenes

    scenes(before, after, out)
