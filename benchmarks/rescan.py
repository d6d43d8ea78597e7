"""A portfolio is scanned anew, the service is killed in the middle, and another process finishes.

Registers sites (1,000) of a few small pictures each, as the service keeps them: some are measured, the others are
copies of these. Starts a rescan, kills the service (SIGKILL) when part of it is done, starts it again, and waits for
the end. Fails unless every project is done, every picture was counted once, every project that was not done at the kill
was measured after it, and no file of one that was done was written again.

    python -m benchmarks.rescan --sites 1000
"""

import argparse
import asyncio
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import sqlalchemy as sql
from google.longrunning import operations_pb2
from google.protobuf.duration_pb2 import Duration
from numpy.typing import NDArray

from bankai.blobs import Blobs
from bankai.errors import FaultError
from bankai.inference import open_backend
from bankai.loopback import free_ports
from bankai.progress.v1 import progress_pb2 as pb
from bankai.progress.v1 import progress_pb2_grpc
from bankai.settings import InferenceSettings
from bankai.store import Database
from benchmarks.command import Report, arguments, run, say
from services.progress_monitor.aoi import parse_aoi
from services.progress_monitor.change.model import ChangeModel
from services.progress_monitor.change.work import WorkModel
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.limits import ImageLimits
from services.progress_monitor.imagery.reader import ImageReader
from services.progress_monitor.imagery.sensors import BANDS, Sensor
from services.progress_monitor.observing import Observing, Origin
from services.progress_monitor.pixels import PixelStore
from services.progress_monitor.project import DAY_S, Plan, Project
from services.progress_monitor.settings import StorageSettings
from services.progress_monitor.site import Site
from services.progress_monitor.storage.migrations.upgrading import upgrade
from services.progress_monitor.storage.observations import ObservationStore
from services.progress_monitor.storage.projects import ProjectStore
from services.progress_monitor.storage.tables import rescan_items
from services.progress_monitor.storage.turns import Turns

NAME = "rescan"
_PICTURES = 3
_DISTINCT = 10
"""Sites that are measured beforehand; the others are copies of them."""
_FIRST_DAY = 20_000
_DAYS_APART = 30
_LEASE_S = 5.0
_TIMEOUT_S = 600.0


@dataclass(frozen=True)
class _Scan:
    """What the store says of a rescan.

    Attributes:
        done: Pictures that were measured, by the projects that are done.
        failures: Projects that could not be scanned.
    """

    done: dict[str, int]
    failures: int


def main() -> None:
    """Runs the command."""
    parser = arguments(__doc__)
    parser.add_argument("--sites", type=int, default=1000, help="projects (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=1, help="projects scanned at once (default: %(default)s)")
    parser.add_argument(
        "--kill-at", type=float, default=0.4, help="share that is done at the kill (default: %(default)s)"
    )
    options = parser.parse_args()
    if options.quick:
        options.sites = 24
    run(NAME, _measure, options)


async def _measure(options: argparse.Namespace) -> Report:
    with tempfile.TemporaryDirectory(prefix="bankai-bench-") as name:
        folder = Path(name)
        storage = StorageSettings(folder=folder)
        database = Database(storage.database)
        try:
            distinct = min(options.sites, _DISTINCT)
            await _take_in(storage, database, distinct)
            await _copy(storage, database, distinct, options.sites)
            report = await _scan_and_kill(folder, database, options)
        finally:
            await database.close()
    return {"sites": options.sites, "pictures": options.sites * _PICTURES, **report}


async def _take_in(storage: StorageSettings, database: Database, sites: int) -> None:
    """Registers projects and takes in their pictures with the service's own parts, but for the decoder."""
    await upgrade(database)
    backend = open_backend(InferenceSettings())
    projects, observations = ProjectStore(database), ObservationStore(database)
    pixels = PixelStore(Blobs(storage.blobs))
    observing = Observing(
        ImageReader(ImageLimits()),
        ChangeModel(backend),
        WorkModel(backend),
        observations,
        pixels,
        Turns(database, _LEASE_S),
    )
    try:
        for number in range(sites):
            project = await projects.add(_project(number, number))
            site = Site.of(project.aoi)
            for count, chip in enumerate(_chips(number, site.grid.shape)):
                acquired = (_FIRST_DAY + count * _DAYS_APART) * DAY_S
                origin = Origin(f"{number:032x}{count:032x}", acquired, Sensor.SENTINEL2_L2A)
                await observing.take_in(project, site, origin, chip, timeout=_TIMEOUT_S)
    finally:
        await backend.close()


async def _copy(storage: StorageSettings, database: Database, distinct: int, sites: int) -> None:
    """Registers further projects that are, records and pixels, copies of those that are there."""
    projects, observations = ProjectStore(database), ObservationStore(database)
    pixels = Path(storage.blobs)
    known = [await observations.of_project(_project(number, number).id) for number in range(distinct)]
    for number in range(distinct, sites):
        original = number % distinct
        project = await projects.add(_project(number, original))
        ids = {each.id: secrets.token_hex(16) for each in known[original]}
        for each in known[original]:
            copied = replace(each, id=ids[each.id], project_id=project.id, reference_id=ids.get(each.reference_id, ""))
            await asyncio.to_thread(
                shutil.copytree, pixels / each.project_id / each.id, pixels / project.id / copied.id
            )
            await observations.put(copied)
    say(f"{sites} sites of {_PICTURES} pictures each are registered")


def _project(number: int, place: int) -> Project:
    aoi = parse_aoi(_polygon(place))
    return Project(f"s{number:05d}", "", aoi.geojson(), Plan((), (), ()), time.time(), aoi.area_m2)


def _polygon(number: int) -> str:
    """A site of about 60 m, each somewhere else."""
    west, south = 114.0 + 0.02 * (number % 40), 30.0 + 0.02 * (number // 40)
    east, north = west + 0.0006, south + 0.0006
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return json.dumps({"type": "Polygon", "coordinates": [ring]})


def _chips(seed: int, shape: tuple[int, int]) -> Iterator[Chip]:
    """Fields with edges; from the second date on with a bright place in the middle."""
    rng = np.random.default_rng(seed)
    rows, columns = shape
    patches = rng.uniform(0.05, 0.35, (len(BANDS), rows // 8 + 1, columns // 8 + 1))
    fields = np.kron(patches, np.ones((1, 8, 8)))[:, :rows, :columns]
    for count in range(_PICTURES):
        seen: NDArray[np.float64] = fields + rng.normal(0, 0.005, fields.shape)
        if count:
            seen[:, rows // 2 - 3 : rows // 2 + 3, columns // 2 - 3 : columns // 2 + 3] = 0.3
        yield Chip(np.clip(seen, 0.01, 1).astype(np.float32), (True,) * len(BANDS), 1.0)


async def _scan_and_kill(folder: Path, database: Database, options: argparse.Namespace) -> Report:
    address = f"127.0.0.1:{free_ports(1)[0]}"
    async with _service(folder, address, options.workers) as (process, stub):
        say("the rescan begins")
        begun = time.perf_counter()
        operation = await stub.RescanPortfolio(pb.RescanPortfolioRequest(request_id="benchmark"))
        enough = max(options.kill_at * options.sites, 1)
        while len((await _scan(database)).done) < enough:  # noqa: ASYNC110  # another process sets no event of ours
            await asyncio.sleep(0.05)
        process.send_signal(signal.SIGKILL)
        process.wait()
        until_kill_s = time.perf_counter() - begun
    before, written = await _scan(database), _written(folder)
    say(f"killed when {len(before.done)} of {options.sites} were done")
    begun = time.perf_counter()
    async with _service(folder, address, options.workers) as (_, stub):
        restart_s = time.perf_counter() - begun
        outcome = await _finished(stub, operation.name)
        after_kill_s = time.perf_counter() - begun
    after, now = await _scan(database), _written(folder)
    repeated = sum(now[project] != written[project] for project in before.done)
    unmeasured = sum(now[project] == written[project] for project in after.done if project not in before.done)
    _check(options.sites, outcome, after, repeated + unmeasured)
    return {
        "done_at_kill": len(before.done),
        "done": len(after.done),
        "repeated": repeated,
        "unmeasured": unmeasured,
        "until_kill_s": until_kill_s,
        "restart_s": restart_s,
        "after_kill_s": after_kill_s,
        "scanning_s": until_kill_s + after_kill_s - restart_s,
        "sites_per_s": options.sites / (until_kill_s + after_kill_s - restart_s),
    }


async def _finished(stub: Any, name: str) -> pb.RescanPortfolioResponse:
    while True:
        asked = pb.GetRescanRequest(name=name, wait=Duration(seconds=20))
        now: operations_pb2.Operation = await stub.GetRescan(asked, timeout=60)
        if now.done:
            outcome = pb.RescanPortfolioResponse()
            now.response.Unpack(outcome)
            return outcome
        told = pb.RescanPortfolioMetadata()
        now.metadata.Unpack(told)
        say(f"{told.projects_done} of {told.projects} are done")


def _check(sites: int, outcome: pb.RescanPortfolioResponse, after: _Scan, wrong: int) -> None:
    found = {
        "projects": outcome.projects,
        "pictures": outcome.observations,
        "done": len(after.done),
        "failures": len(outcome.failures) + after.failures,
        "repeated or left out": wrong,
    }
    if list(found.values()) != [sites, sites * _PICTURES, sites, 0, 0]:
        raise FaultError("RESCAN_WRONG", f"the rescan is not what was asked for: {found}")


async def _scan(database: Database) -> _Scan:
    chosen = sql.select(rescan_items.c.project_id, rescan_items.c.observations, rescan_items.c.failure)
    async with database.read() as connection:
        rows = (await connection.execute(chosen.where(rescan_items.c.done))).all()
    return _Scan({row.project_id: row.observations for row in rows}, sum(bool(row.failure) for row in rows))


def _written(folder: Path) -> dict[str, list[tuple[str, int]]]:
    """When each project's findings were written."""
    found: dict[str, list[tuple[str, int]]] = {}
    for file in sorted((folder / "pixels").rglob("findings.npz")):
        found.setdefault(file.parts[-3], []).append((file.parts[-2], file.stat().st_mtime_ns))
    return found


@asynccontextmanager
async def _service(folder: Path, address: str, workers: int) -> AsyncIterator[tuple[subprocess.Popen[bytes], Any]]:
    """The service as a process of its own, ready."""
    prefix = "BANKAI_PROGRESS_MONITOR_"
    settings = {
        f"{prefix}SERVER__LISTEN": address,
        f"{prefix}STORAGE__FOLDER": str(folder),
        f"{prefix}RESCAN__WORKERS": str(workers),
        f"{prefix}RESCAN__LEASE_S": str(_LEASE_S),
        f"{prefix}RESCAN__POLL_S": "0.2",
    }
    command = [sys.executable, "-m", "services.progress_monitor"]
    process = await asyncio.to_thread(
        subprocess.Popen, command, env={**os.environ, **settings}, stderr=subprocess.DEVNULL
    )
    options = (("grpc.use_local_subchannel_pool", 1), ("grpc.max_reconnect_backoff_ms", 200))
    try:
        async with grpc.aio.insecure_channel(address, options) as channel:
            await asyncio.wait_for(channel.channel_ready(), 120)
            yield process, progress_pb2_grpc.ProgressServiceStub(channel)
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
