"""Catalogues imported by the service, through gRPC."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3

from bankai.cli.connection import Connection
from bankai.errors import BankaiError
from bankai.progress.v1 import progress_pb2 as pb
from services.progress_monitor.cli.importing import Asked, import_all
from tests.services.progress_monitor.serving import Service, project, running, sample, stamp
from tests.services.progress_monitor.stac.catalogues import catalog, footprint, item, single, whole, write_catalogue
from tests.services.s3 import S3, s3

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]

IMPORTED, THERE, SKIPPED = pb.IMPORT_STATUS_IMPORTED, pb.IMPORT_STATUS_ALREADY_THERE, pb.IMPORT_STATUS_SKIPPED


@pytest.fixture
def images(tmp_path: Path) -> Path:
    folder = tmp_path / "images"
    folder.mkdir()
    return folder


@pytest.fixture
async def service(tmp_path: Path, images: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Service]:
    def remote(*_: object, **__: object) -> None:
        raise AssertionError("something was read over HTTP")

    monkeypatch.setattr(urllib3.PoolManager, "request", remote)
    async with running(tmp_path / "state", roots=(images,)) as started:
        await started.client.register(project())
        yield started


async def imported(service: Service, uri: str, **asked: Any) -> list[pb.ImportStacResponse]:
    request = pb.ImportStacRequest(project_id="p1", uri=uri, **asked)
    return [each async for each in service.client.import_stac(request)]


async def reason(service: Service, uri: str, **asked: Any) -> str:
    with pytest.raises(BankaiError) as caught:
        await imported(service, uri, **asked)
    return caught.value.reason


def place(images: Path, number: int) -> str:
    """A copy of one of the sample's pictures below the root; returns its name."""
    shutil.copy(sample().pictures[number].path, images / f"{number}.tif")
    return f"{number}.tif"


async def test_what_a_catalogue_holds_of_a_site(service: Service, images: Path, tmp_path: Path) -> None:
    for number in (0, 9, 12, 23):
        place(images, number)
    (images / "broken.tif").write_bytes((images / "9.tif").read_bytes()[:5000])
    shutil.copy(images / "9.tif", tmp_path / "outside.tif")
    nowhere = {**item("no footprint", 9, whole("../../../9.tif")), "geometry": None}
    items = [
        item("late", 23, whole("../../../23.tif")),
        item("early", 0, whole(f"{images}/0.tif")),
        item("by address", 12, whole(f"file://{images}/12.tif")),
        item("off site", 9, whole("../../../9.tif"), geometry=footprint(east=3.0)),
        nowhere,
        item("too old", 0, whole("../../../0.tif"), properties={"datetime": "1999-01-01T00:00:00Z"}),
        item("broken", 9, whole("../../../broken.tif")),
        item("outside", 9, whole("../../../../outside.tif")),
        item("passwords", 9, whole("/etc/passwd")),
        item("remote", 9, whole("https://example.org/9.tif")),
        item("gdal", 9, whole("/vsicurl/https://example.org/9.tif")),
        item("missing", 9, whole("../../../none.tif")),
        item("few bands", 9, {"red": {"href": "../../../9.tif", "type": "image/tiff"}}),
        item("no sensor", 9, whole("../../../9.tif"), collection="x", properties={"datetime": "2025-06-01T00:00:00Z"}),
        {"type": "Feature", "id": "empty"},
    ]
    links = [
        {"rel": "child", "href": "./catalog.json"},
        {"rel": "child", "href": "../cat/catalog.json"},
        {"rel": "child", "href": "https://example.org/catalog.json"},
        {"rel": "child", "href": "../../outside.json", "title": "elsewhere"},
        {"rel": "item", "href": "./none.json"},
    ]
    root = write_catalogue(images / "cat", items, links)
    (images / "cat" / "text.json").write_text("hello")
    start = stamp(sample().pictures[0].time)
    found = await imported(service, f"file://{root}", start_time=start)
    assert {each.items for each in found} == {len(found)} == {len(items) + 3}
    assert [each.item_id for each in found if each.status == IMPORTED] == ["early", "by address", "late"]
    assert {each.item_id: each.reason for each in found if each.status == SKIPPED} == {
        "off site": "ITEM_OFF_SITE",
        "no footprint": "ITEM_OFF_SITE",
        "too old": "ITEM_OUT_OF_RANGE",
        "broken": "IMAGE_CORRUPT",
        "outside": "URI_NOT_ALLOWED",
        "passwords": "URI_NOT_ALLOWED",
        "remote": "URI_NOT_ALLOWED",
        "gdal": "URI_NOT_ALLOWED",
        "missing": "URI_NOT_FOUND",
        "few bands": "ITEM_WITHOUT_BANDS",
        "no sensor": "ITEM_SENSOR_UNKNOWN",
        "empty": "ITEM_INVALID",
        "https://example.org/catalog.json": "URI_NOT_ALLOWED",
        "elsewhere": "URI_NOT_ALLOWED",
        "./none.json": "URI_NOT_FOUND",
    }
    assert all(each.message for each in found if each.status == SKIPPED)
    assert all(each.observation.status == pb.OBSERVATION_STATUS_USED for each in found if each.status == IMPORTED)
    again = await imported(service, f"file://{root}", start_time=start)
    assert {each.item_id: each.observation for each in again if each.status == THERE} == {
        each.item_id: each.observation for each in found if each.status == IMPORTED
    }
    assert not [each for each in again if each.status == IMPORTED]
    assert (await service.client.assess(pb.AssessRequest(project_id="p1"))).observations == 3


async def test_bands_in_files_of_their_own_show_what_one_file_shows(service: Service, images: Path) -> None:
    shifted = {"datetime": _when(12), "platform": "sentinel-2b", "s2:processing_baseline": "05.11"}
    items = [
        item("plain", 0, single(images / "cat" / "child" / "0", 0)),
        item("new baseline", 12, single(images / "cat" / "child" / "1", 12, raise_by=1000), properties=shifted),
    ]
    root = write_catalogue(images / "cat", items)
    found = await imported(service, f"file://{root}")
    assert [each.status for each in found] == [IMPORTED, IMPORTED], found
    await service.client.register(project("p2"))
    for number, each in zip((0, 12), found, strict=True):
        sent = await service.observe(number, "p2")
        assert dict(each.observation.surface_shares) == pytest.approx(dict(sent.surface_shares), abs=0.01)
        assert each.observation.usable_share == sent.usable_share


async def test_an_item_that_changed_is_not_measured_again(service: Service, images: Path) -> None:
    place(images, 0)
    collection = {"type": "FeatureCollection", "features": [item("one", 0, whole("0.tif"))]}
    (images / "items.json").write_text(json.dumps(collection))
    uri = f"file://{images}/items.json"
    assert [each.status for each in await imported(service, uri)] == [IMPORTED]
    (images / "0.tif").touch()  # looks like another file, and is none
    assert [each.status for each in await imported(service, uri)] == [THERE]
    shutil.copy(sample().pictures[12].path, images / "0.tif")
    (changed,) = await imported(service, uri)
    assert (changed.status, changed.reason) == (SKIPPED, "ITEM_CHANGED")
    assert (await service.client.assess(pb.AssessRequest(project_id="p1"))).observations == 1


async def test_a_picture_that_was_sent_before_is_there(service: Service, images: Path) -> None:
    sent = await service.observe(0, acquire_time=stamp(sample().pictures[0].time + 60))
    place(images, 0)
    (images / "item.json").write_text(json.dumps(item("one", 0, whole("0.tif"))))
    for _ in range(2):
        (found,) = await imported(service, f"file://{images}/item.json")
        assert (found.status, found.observation) == (THERE, sent)


async def test_two_imports_at_once_import_once(service: Service, images: Path) -> None:
    items = [item(str(number), number, whole(place(images, number))) for number in (0, 9, 12)]
    (images / "items.json").write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    both = await asyncio.gather(*(imported(service, f"file://{images}/items.json") for _ in range(2)))
    assert all(each.status in {IMPORTED, THERE} for found in both for each in found)
    one, two = [[each.observation.observation_id for each in found] for found in both]
    assert one == two
    assert (await service.client.assess(pb.AssessRequest(project_id="p1"))).observations == 3


async def test_the_command_says_what_became_of_each_item(
    service: Service, images: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    items = [
        item("one", 0, whole(place(images, 0))),
        item("off", 0, whole("0.tif"), geometry=footprint(east=3.0)),
        item("[red]none", 0, whole("none.tif")),
    ]
    file = images / "items.json"
    file.write_text(json.dumps({"type": "FeatureCollection", "features": items}))
    await import_all(Connection(service.address), "p1", Asked(str(file), "2020-01-01", "2030-01-01", "sentinel2_l2a"))
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "[info" not in line] == [
        "2/3 [red]none: skipped, there is no file at uri (URI_NOT_FOUND)",
        "3/3 one: used, 100% of the site seen",
        "1 imported, 0 already there, 2 skipped",
    ]


async def test_catalogues_that_are_refused(tmp_path: Path, images: Path) -> None:
    (images / "text.json").write_text("hello")
    (images / "other.json").write_text('{"type": "Topology"}')
    (images / "deep.json").write_text("[" * 100_000)
    many = [{"rel": "item", "href": f"./{number}.json"} for number in range(30)]
    (images / "many.json").write_text(json.dumps(catalog(many)))
    (images / "loop.json").write_text(json.dumps(catalog([{"rel": "child", "href": "./loop.json"}])))
    (images / "round").symlink_to(images)
    (images / "round.json").write_text(json.dumps(catalog([{"rel": "child", "href": "./round/round.json"}])))
    async with running(tmp_path / "state", roots=(images,), catalogue_items=20) as service:
        await service.client.register(project())
        for name in ("text.json", "other.json", "deep.json"):
            assert await reason(service, f"file://{images}/{name}") == "CATALOGUE_INVALID", name
        assert await reason(service, f"file://{images}/many.json") == "CATALOGUE_TOO_LARGE"
        assert await reason(service, f"file://{images}/round.json") == "CATALOGUE_TOO_LARGE"
        assert await reason(service, f"file://{images}/none.json") == "URI_NOT_FOUND"
        assert await reason(service, "file:///etc/passwd") == "URI_NOT_ALLOWED"
        assert await reason(service, "https://example.org/catalog.json") == "URI_NOT_ALLOWED"
        assert await reason(service, f"file://{images}/loop.json", sensor=99) == "SENSOR_REQUIRED"
        assert await imported(service, f"file://{images}/loop.json") == []


@pytest.fixture(scope="module")
def storage() -> Iterator[S3]:
    with s3() as started:
        yield started


async def test_a_catalogue_in_s3(storage: S3, tmp_path: Path) -> None:
    bucket = storage.new_bucket()
    assets = single(tmp_path / "cat" / "child" / "0", 0)
    root = write_catalogue(tmp_path / "cat", [item("one", 0, assets), item("out", 12, whole("../../../../x.tif"))])
    for file in (tmp_path / "cat").rglob("*.*"):
        storage.put(bucket, f"in/{file.relative_to(tmp_path)}", file.read_bytes())
    storage.put(bucket, "x.tif", b"x")
    async with running(tmp_path / "state", buckets=(f"s3://{bucket}/in",)) as service:
        await service.client.register(project())
        for status in (IMPORTED, THERE):
            one, out = await imported(service, f"s3://{bucket}/in/cat/{root.name}")
            assert (out.item_id, out.reason) == ("out", "URI_NOT_ALLOWED")
            assert (one.item_id, one.status) == ("one", status)
        assert await service.observe(0) == one.observation  # sent as one file, it is the same picture


def _when(number: int) -> str:
    return str(item("", number, {})["properties"]["datetime"])
