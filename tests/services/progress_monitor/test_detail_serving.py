"""Sub-metre pictures through the whole service, with the shipped models."""

import json
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import rasterio
from shapely.geometry import mapping

from bankai.progress.v1 import progress_pb2 as pb
from bankai.settings import InferenceSettings
from services.progress_monitor.aoi import Aoi
from services.progress_monitor.app import MODELS
from services.progress_monitor.change.detail import MODEL
from tests.services.progress_monitor.aerial import HALL_M2, ground, with_hall
from tests.services.progress_monitor.conftest import SQUARE, write_tiff
from tests.services.progress_monitor.serving import Service, running, stamp
from tests.services.progress_monitor.stac.catalogues import item, write_cog
from tests.services.s3 import s3

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

DAYS = ("2025-03-01", "2025-05-01", "2025-07-01", "2025-09-01")


def seconds(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


async def observed(service: Service, folder: Path, aoi: Aoi) -> list[pb.Observation]:
    """What the service makes of four flights; the hall stands on the last two."""
    await service.client.register(pb.Project(project_id="p1", aoi_geojson=SQUARE))
    before = ground((1400, 1400))
    found = []
    for number, day in enumerate(DAYS):
        scene = with_hall(before, number)[0] if number >= 2 else before
        pixels = np.clip(scene * (0.9 + 0.05 * number), 1, 255).astype(np.uint8)  # every day has another light
        path = write_tiff(folder / f"{day}.tif", pixels, aoi, 0.5, names=("red", "green", "blue"))
        asked = pb.ObservationConfig(project_id="p1", acquire_time=stamp(seconds(day)), sensor=pb.SENSOR_RGB)
        found.append(await service.client.observe(asked, path))
    return found


async def test_pictures_of_a_catalogue_and_by_address_in_s3_have_their_detail(tmp_path: Path, aoi: Aoi) -> None:
    before = ground((1400, 1400))
    after, _ = with_hall(before)
    with s3() as storage:
        bucket = storage.new_bucket()
        for name, pixels in (("before", before), ("after", after)):
            plain = write_tiff(tmp_path / "plain.tif", pixels, aoi, 0.5, names=None)
            with rasterio.open(plain) as file:
                write_cog(tmp_path / "cog.tif", file.read(), file.profile, block=256)
            storage.put(bucket, f"{name}.tif", (tmp_path / "cog.tif").read_bytes())
        items = []
        for day, name in ((DAYS[0], "before"), (DAYS[2], "after")):
            bands = [{"common_name": colour} for colour in ("red", "green", "blue")]
            assets = {"visual": {"href": f"{name}.tif", "type": "image/tiff", "roles": ["data"], "eo:bands": bands}}
            when = {"datetime": f"{day}T00:00:00Z"}
            items.append(item(name, 0, assets, geometry=dict(mapping(aoi.polygon)), collection="", properties=when))
        catalogue = {"type": "FeatureCollection", "features": items}
        root = storage.put(bucket, "items.json", json.dumps(catalogue).encode())
        async with running(tmp_path / "state", buckets=(f"s3://{bucket}",)) as service:
            await service.client.register(pb.Project(project_id="p1", aoi_geojson=SQUARE))
            asked = pb.ImportStacRequest(project_id="p1", uri=root, sensor=pb.SENSOR_RGB)
            found = [each async for each in service.client.import_stac(asked)]
            assert [each.status for each in found] == [pb.IMPORT_STATUS_IMPORTED] * 2, found
            assert [each.observation.model_version for each in found] == ["", "1+rgb1"]
            imported = max(await segments(service), key=lambda each: float(str(each["area_m2"])))
            assert imported["area_m2"] == pytest.approx(HALL_M2, rel=0.3)
            await service.client.register(pb.Project(project_id="p2", aoi_geojson=SQUARE))
            for each, name in zip(found, ("before", "after"), strict=True):
                one = pb.ObservationConfig(
                    project_id="p2",
                    acquire_time=each.observation.acquire_time,
                    sensor=pb.SENSOR_RGB,
                    uri=f"s3://{bucket}/{name}.tif",
                )
                sent = await service.client.observe(one)
                assert sent.model_version == each.observation.model_version
                assert dict(sent.surface_shares) == dict(each.observation.surface_shares)


async def segments(service: Service) -> list[dict[str, object]]:
    data = json.loads(await service.client.evidence("p1", pb.EVIDENCE_KIND_SEGMENTS_GEOJSON))
    return [feature["properties"] for feature in data["features"]]


async def test_a_hall_is_found_to_the_metre_with_the_date_on_which_it_appeared(tmp_path: Path, aoi: Aoi) -> None:
    async with running(tmp_path / "state") as service:
        found = await observed(service, tmp_path, aoi)
        assert [each.status for each in found] == [pb.OBSERVATION_STATUS_USED] * 4
        assert [each.model_version for each in found] == ["", *["1+rgb1"] * 3]
        largest = max(await segments(service), key=lambda each: float(str(each["area_m2"])))
        assert largest["area_m2"] == pytest.approx(HALL_M2, rel=0.3)
        assert largest["first_seen"] == DAYS[2]
        kept = {path.stem for path in (tmp_path / "state").rglob("*.npz")}
        assert kept == {"chip", "detail", "findings", "detail_findings"}
        await service.stub.DeleteProject(pb.DeleteProjectRequest(project_id="p1"))
        assert not list((tmp_path / "state").rglob("*.npz"))


async def test_without_the_model_everything_is_judged_at_10_m(tmp_path: Path, aoi: Aoi) -> None:
    models = tmp_path / "models"
    models.mkdir()
    shipped = InferenceSettings().models_dir
    for name in MODELS:
        (models / name).symlink_to(shipped / name)
    assert (shipped / MODEL).is_dir()
    async with running(tmp_path / "state", inference=InferenceSettings(models_dir=models)) as service:
        found = await observed(service, tmp_path, aoi)
        assert {each.model_version for each in found[1:]} == {"1"}
        assert all(float(str(each["area_m2"])) % 100 == 0 for each in await segments(service))
    assert not list((tmp_path / "state").rglob("detail*"))
