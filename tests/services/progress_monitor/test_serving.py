import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import pytest
from google.protobuf.duration_pb2 import Duration
from PIL import Image
from prometheus_client import REGISTRY
from rasterio.io import MemoryFile

from bankai.errors import BankaiError
from bankai.progress.v1 import progress_pb2 as pb
from bankai.status import from_rpc_error
from services.progress_monitor.evidence.drawing import COLOURS
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.reader import ImageReader
from services.progress_monitor.pixels import PixelStore
from tests.services.postgres import Postgres, postgres
from tests.services.progress_monitor.serving import Service, project, running, sample, stamp

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

USED, REPLAYED = pb.OBSERVATION_STATUS_USED, pb.OBSERVATION_STATUS_REPLAYED
CLEAR = [0, 3, 6, 9, 12, 15, 18, 23]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with postgres(tmp_path_factory.mktemp("postgres")) as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
async def service(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Service]:
    url = request.getfixturevalue("server").new_database() if request.param == "postgresql" else ""
    async with running(tmp_path / "state", url, roots=(tmp_path / "images",)) as started:
        yield started


async def reason(call: object) -> str:
    with pytest.raises((BankaiError, grpc.aio.AioRpcError)) as caught:
        await call  # type: ignore[misc]  # any awaitable
    error = caught.value
    assert isinstance(error, BankaiError | grpc.aio.AioRpcError)
    return error.reason if isinstance(error, BankaiError) else from_rpc_error(error).reason


async def test_a_site_from_registration_to_the_drawdown(service: Service) -> None:
    due = sample().plan[-1].time
    drawdowns = [
        pb.Drawdown(drawdown_id="D1", time=stamp(due), required_progress=0.3),
        pb.Drawdown(drawdown_id="D2", time=stamp(due), required_progress=0.3, claimed_progress=1.0),
    ]
    await service.client.register(project(drawdowns=drawdowns))
    seen = [await service.observe(number) for number in CLEAR]
    assert sum(each.status == USED for each in seen) >= 6
    assert {each.model_version for each in seen[1:] if each.status == USED} == {"1"}
    timeline = await service.client.timeline("p1")
    truth = {round(each.time): each for each in sample().truth}
    used = [point for point in timeline.points if point.observation.status == USED]
    errors = [
        abs(point.progress - (truth[round(point.observation.acquire_time.seconds)].progress or 0.0)) for point in used
    ]
    assert np.mean(errors) < 0.15
    assert all(point.progress_low <= point.progress <= point.progress_high for point in used)
    latest = timeline.latest
    assert latest.stage >= pb.STAGE_STRUCTURE
    assert latest.not_started_until.seconds <= latest.started_by.seconds
    early = stamp(sample().pictures[6].time)
    before = await service.client.assess(pb.AssessRequest(project_id="p1", as_of=early))
    assert before.progress < latest.progress

    now = latest.as_of
    passed = await service.client.check_drawdown(pb.CheckDrawdownRequest(project_id="p1", drawdown_id="D1", as_of=now))
    assert passed.decision == pb.DRAWDOWN_DECISION_PASS
    years_later = pb.CheckDrawdownRequest(project_id="p1", drawdown_id="D1", as_of=stamp(now.seconds + 10**7))
    assert (await service.client.check_drawdown(years_later)).decision == pb.DRAWDOWN_DECISION_NO_EVIDENCE
    unknown = pb.CheckDrawdownRequest(project_id="p1", drawdown_id="D9")
    assert await reason(service.client.check_drawdown(unknown)) == "DRAWDOWN_NOT_FOUND"


async def test_evidence_can_be_opened(service: Service) -> None:
    await service.client.register(project())
    for number in (0, 12, 23):
        await service.observe(number)
    shown = {}
    for kind in (pb.EVIDENCE_KIND_BEFORE_PNG, pb.EVIDENCE_KIND_AFTER_PNG, pb.EVIDENCE_KIND_OVERLAY_PNG):
        data = await service.client.evidence("p1", kind)
        shown[kind] = np.asarray(Image.open(io.BytesIO(data)))
    assert len({picture.shape for picture in shown.values()}) == 1
    assert (shown[pb.EVIDENCE_KIND_BEFORE_PNG] != shown[pb.EVIDENCE_KIND_AFTER_PNG]).mean() > 0.1
    cog = await service.client.evidence("p1", pb.EVIDENCE_KIND_SURFACES_COG)
    with MemoryFile(cog) as memory, memory.open() as raster:
        assert raster.crs.to_epsg() == 32650
        assert raster.tags(ns="IMAGE_STRUCTURE")["LAYOUT"] == "COG"
        assert set(np.unique(raster.read(1))) <= {0, *COLOURS}
    segments = json.loads(await service.client.evidence("p1", pb.EVIDENCE_KIND_SEGMENTS_GEOJSON))
    assert segments["features"]
    for feature in segments["features"]:
        assert feature["properties"]["area_m2"] >= 300
        longitude, latitude = feature["geometry"]["coordinates"][0][0]
        assert (116 < longitude < 118, 30 < latitude < 32) == (True, True)
    kind = pb.EVIDENCE_KIND_UNSPECIFIED
    assert await reason(service.client.evidence("p1", kind)) == "EVIDENCE_KIND_REQUIRED"
    assert await reason(service.client.evidence("p1", pb.EVIDENCE_KIND_AFTER_PNG, "x")) == "OBSERVATION_NOT_FOUND"


async def test_the_same_picture_counts_once_and_a_replay_never(service: Service) -> None:
    await service.client.register(project())
    first = await service.observe(0)
    again = await service.observe(0)
    assert again.observation_id == first.observation_id
    later = await service.observe(0, acquire_time=stamp(sample().pictures[0].time + 3600))  # told less exactly
    assert later.observation_id == first.observation_id
    replay = await service.observe(0, acquire_time=stamp(sample().pictures[20].time))
    assert replay.status == REPLAYED
    assert "another date" in replay.reason
    found = await service.client.assess(pb.AssessRequest(project_id="p1"))
    assert (found.observations, found.observations_used) == (2, 1)
    assert pb.ALERT_KIND_IMAGE_REPLAYED in {alert.kind for alert in found.alerts}


async def test_pictures_may_come_in_any_order(service: Service) -> None:
    for name in ("p1", "p2"):
        await service.client.register(project(name))
    for number in (0, 9, 15, 23):
        await service.observe(number, "p1")
    for number in (23, 9, 0, 15):
        await service.observe(number, "p2")
    one, two = [await service.client.timeline(name) for name in ("p1", "p2")]
    for mine, other in zip(one.points, two.points, strict=True):
        assert mine.observation.acquire_time == other.observation.acquire_time
        assert mine.progress == pytest.approx(other.progress, abs=0.01)


async def test_projects_are_kept_changed_listed_and_erased(service: Service, tmp_path: Path) -> None:
    kept = await service.client.register(project(name="One"))
    assert kept.area_m2 > 10_000
    assert await service.client.register(project(name="One")) == kept
    assert await reason(service.client.register(project(name="Two"))) == "PROJECT_EXISTS"
    await service.stub.UpdateProject(pb.UpdateProjectRequest(project=project(name="Two")))
    assert (await service.client.project("p1")).name == "Two"
    for number in range(3):
        await service.client.register(project(f"q{number}"))
    names: list[str] = []
    token = ""
    while True:
        page = await service.stub.ListProjects(pb.ListProjectsRequest(page_size=3, page_token=token))
        names += [each.project_id for each in page.projects]
        token = page.next_page_token
        if not token:
            break
    assert names == ["p1", "q0", "q1", "q2"]
    await service.observe(0)
    await service.stub.DeleteProject(pb.DeleteProjectRequest(project_id="p1"))
    assert await reason(service.client.project("p1")) == "PROJECT_NOT_FOUND"
    assert not [file for file in (tmp_path / "state" / "pixels").rglob("*") if file.is_file()]


async def test_bad_requests_get_their_reason(service: Service, tmp_path: Path) -> None:
    await service.client.register(project())
    assert await reason(service.observe(0, "nobody")) == "PROJECT_NOT_FOUND"
    assert await reason(service.observe(0, sensor=0)) == "SENSOR_REQUIRED"
    assert await reason(service.observe(0, acquire_time=stamp(0))) == "ACQUIRE_TIME_INVALID"
    assert await reason(service.observe(0, acquire_time=stamp(10**10))) == "ACQUIRE_TIME_INVALID"
    assert await reason(service.client.register(project("no spaces"))) == "PROJECT_ID_INVALID"
    falling = [pb.CurvePoint(time=stamp(1), progress=0.5), pb.CurvePoint(time=stamp(2), progress=0.4)]
    wrong = pb.Project(project_id="p2", aoi_geojson=sample().aoi, plan=falling)
    assert await reason(service.client.register(wrong)) == "PLAN_INVALID"
    secret = tmp_path / "secret.tif"
    secret.write_bytes(sample().pictures[0].path.read_bytes())
    assert await reason(service.observe(0, uri=f"file://{secret}")) == "URI_NOT_ALLOWED"
    inside = f"file://{tmp_path}/images/../secret.tif"
    assert await reason(service.observe(0, uri=inside)) == "URI_NOT_ALLOWED"
    assert await reason(service.observe(0, uri="s3://bucket/key")) == "URI_NOT_ALLOWED"
    assert await reason(service.observe(0, uri=f"file://{tmp_path}/images/none.tif")) == "URI_NOT_FOUND"
    assert await reason(service.stub.AddObservation(iter([pb.AddObservationRequest(chunk=b"x")]))) == "CONFIG_REQUIRED"
    assert await reason(service.stub.RescanPortfolio(pb.RescanPortfolioRequest())) == "REQUEST_ID_INVALID"
    assert await reason(service.stub.GetRescan(pb.GetRescanRequest(name="rescans/x"))) == "OPERATION_NOT_FOUND"


async def test_a_picture_below_an_allowed_folder_is_read_there(service: Service, tmp_path: Path) -> None:
    await service.client.register(project())
    folder = tmp_path / "images"
    folder.mkdir()
    (folder / "one.tif").write_bytes(sample().pictures[0].path.read_bytes())
    assert (await service.observe(0, uri=f"file://{folder}/one.tif")).status == USED


async def test_alerts_reach_who_watches(service: Service) -> None:
    await service.client.register(project())
    call = service.stub.WatchAlerts(pb.WatchAlertsRequest())
    async with asyncio.timeout(20):
        await call.wait_for_connection()
    await service.observe(0)
    await service.client.assess(pb.AssessRequest(project_id="p1"))
    async with asyncio.timeout(20):
        first = await call.read()
    assert first.alert.project_id == "p1"
    assert first.alert.kind == pb.ALERT_KIND_NO_CLEAR_IMAGE
    call.cancel()
    await service.client.assess(pb.AssessRequest(project_id="p1"))  # the same alert is not raised twice
    again = service.stub.WatchAlerts(pb.WatchAlertsRequest(since=stamp(1), project_id="p1"))
    async with asyncio.timeout(20):
        assert (await again.read()).alert.kind == pb.ALERT_KIND_NO_CLEAR_IMAGE
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1):
            await again.read()
    again.cancel()


async def test_photos_are_held_against_the_site(service: Service) -> None:
    await service.client.register(project())
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (80, 80, 3), np.uint8))
    data = io.BytesIO()
    image.save(data, "JPEG")

    async def send() -> pb.SitePhoto:
        config = pb.AddSitePhotoRequest(config=pb.SitePhotoConfig(project_id="p1"))
        requests = [config, pb.AddSitePhotoRequest(chunk=data.getvalue())]
        answer: pb.AddSitePhotoResponse = await service.stub.AddSitePhoto(iter(requests))
        return answer.photo

    assert list((await send()).doubts) == ["NO_TIME", "NO_PLACE"]
    assert "DUPLICATE" in (await send()).doubts


async def test_a_rescan_measures_everything_once(service: Service) -> None:
    def scanned() -> float:
        return REGISTRY.get_sample_value("bankai_work_total", {"work": "site", "code": "OK", "reason": ""}) or 0.0

    before = scanned()
    for name in ("p1", "p2", "p3"):
        await service.client.register(project(name))
        await service.observe(0, name)
        await service.observe(12, name)
    started = await service.stub.RescanPortfolio(pb.RescanPortfolioRequest(request_id="r1"))
    again = await service.stub.RescanPortfolio(pb.RescanPortfolioRequest(request_id="r1"))
    assert again.name == started.name
    done = await service.stub.GetRescan(pb.GetRescanRequest(name=started.name, wait=Duration(seconds=30)))
    assert done.done
    outcome = pb.RescanPortfolioResponse()
    done.response.Unpack(outcome)
    assert (outcome.projects, outcome.observations, dict(outcome.failures)) == (3, 6, {})
    assert scanned() == before + 3


async def test_pictures_sent_at_once_share_one_reference(service: Service) -> None:
    for name in ("p1", "p2"):
        await service.client.register(project(name))
    numbers = (0, 9, 15, 23)
    await asyncio.gather(*(service.observe(number, "p1") for number in reversed(numbers)))
    for number in numbers:
        await service.observe(number, "p2")
    one, two = [await service.client.timeline(name) for name in ("p1", "p2")]
    shares = [[dict(point.observation.surface_shares) for point in each.points] for each in (one, two)]
    for mine, other in zip(*shares, strict=True):
        assert mine == pytest.approx(other, abs=0.01)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_two_processes_keep_the_pictures_of_a_project_apart(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Both have cut a project's first two pictures before either takes in one: one of them is the reference."""
    url = request.getfixturevalue("server").new_database() if kind == "postgresql" else ""
    both, cut, put_chip = asyncio.Barrier(2), ImageReader.cut, PixelStore.put_chip

    async def cut_together(*asked: Any, **named: Any) -> Chip:
        chip = await cut(*asked, **named)
        await both.wait()
        return chip

    async def put_slowly(*asked: Any) -> None:
        await asyncio.sleep(0.5)
        await put_chip(*asked)

    async with running(tmp_path, url) as one, running(tmp_path, url) as two:
        for name in ("p1", "p2"):
            await one.client.register(project(name))
        with monkeypatch.context() as patch:
            patch.setattr(ImageReader, "cut", cut_together)
            patch.setattr(PixelStore, "put_chip", put_slowly)
            await asyncio.gather(one.observe(0, "p1"), two.observe(12, "p1"))
        for number in (0, 12):
            await one.observe(number, "p2")
        mine, other = [await two.client.timeline(name) for name in ("p1", "p2")]
    shares = [[dict(point.observation.surface_shares) for point in each.points] for each in (mine, other)]
    for one_alone, one_of_two in zip(*shares, strict=True):
        assert one_of_two == pytest.approx(one_alone, abs=0.01)
    assert shares[0][1]["as_before"] < 0.9
