"""The whole service with its pixels in S3, and pictures that are read from there."""

import io
from collections.abc import Iterator
from pathlib import Path

import obstore
import pytest
from obstore.store import S3Store
from PIL import Image

from bankai.errors import BankaiError
from bankai.progress.v1 import progress_pb2 as pb
from tests.services.progress_monitor.serving import project, running, sample, stamp
from tests.services.s3 import S3, s3

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@pytest.fixture(scope="module")
def storage() -> Iterator[S3]:
    with s3() as started:
        yield started


async def test_a_site_whose_pictures_and_pixels_are_in_s3(storage: S3, tmp_path: Path) -> None:
    kept, images = storage.new_bucket(), storage.new_bucket()
    uris = {
        number: storage.put(images, f"site/{number}.tif", sample().pictures[number].path.read_bytes())
        for number in (0, 12, 23)
    }
    roots = (f"s3://{images}/site",)
    async with running(tmp_path, buckets=roots, blobs_url=f"s3://{kept}/pixels") as service:
        await service.client.register(project())
        for number, uri in uris.items():
            seen = await service.client.observe(
                pb.ObservationConfig(
                    project_id="p1",
                    acquire_time=stamp(sample().pictures[number].time),
                    sensor=pb.SENSOR_SENTINEL2_L2A,
                    uri=uri,
                )
            )
            assert seen.status == pb.OBSERVATION_STATUS_USED
            assert seen == await service.observe(number)  # sent as a file, it is the same picture
        found = await service.client.assess(pb.AssessRequest(project_id="p1"))
        assert (found.observations, found.observations_used) == (3, 3)
        assert found.stage >= pb.STAGE_FOUNDATION
        overlay = await service.client.evidence("p1", pb.EVIDENCE_KIND_OVERLAY_PNG)
        assert Image.open(io.BytesIO(overlay)).size[0] > 100
        assert len(_keys(kept)) == 2 * 3
        assert not (tmp_path / "pixels").exists()
        with pytest.raises(BankaiError) as caught:
            await service.observe(1, uri=f"s3://{images}/other/1.tif")
        assert caught.value.reason == "URI_NOT_ALLOWED"
        await service.stub.DeleteProject(pb.DeleteProjectRequest(project_id="p1"))
    assert _keys(kept) == []


def _keys(bucket: str) -> list[str]:
    return [entry["path"] for page in obstore.list(S3Store(bucket)) for entry in page]
