from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rasterio.transform import from_origin

from bankai.inference import open_backend
from bankai.inference.backend import InferenceResult, Tensors
from bankai.settings import InferenceSettings
from services.progress_monitor.alignment.radiometry import Line
from services.progress_monitor.alignment.registration import STILL
from services.progress_monitor.aoi import Aoi, parse_aoi
from services.progress_monitor.change import detail
from services.progress_monitor.change.detail import DetailChange, DetailModel
from services.progress_monitor.change.surfaces import BUILT, Surface
from services.progress_monitor.comparison import Comparison
from services.progress_monitor.detailing import BUILT_PERCENT, detailed
from services.progress_monitor.evidence.maps import Dated, Pieces
from services.progress_monitor.grid import DETAIL_GSD_M, GSD_M, Grid, detail_grid_of, grid_of
from services.progress_monitor.imagery import wire
from services.progress_monitor.imagery.cutting import Chip
from services.progress_monitor.imagery.limits import ImageLimits
from services.progress_monitor.imagery.question import Layer, Question
from services.progress_monitor.imagery.reader import ImageReader
from services.progress_monitor.imagery.sensors import Sensor
from services.progress_monitor.meaning.measures import UNCHANGED
from services.progress_monitor.site import Site
from tests.services.progress_monitor.aerial import HALL_M2, ground, with_hall
from tests.services.progress_monitor.conftest import SQUARE, write_tiff

SAME = [Line(1.0, 0.0)] * 3


class Echo:
    """A backend whose model calls built what is red on the second date, and remembers what it was asked."""

    def __init__(self) -> None:
        self.sides: set[int] = set()

    async def infer(self, model: str, inputs: Tensors, *, timeout: float) -> InferenceResult:  # noqa: ASYNC109
        assert (model, timeout > 0) == (detail.MODEL, True)
        self.sides |= set(inputs["after"].shape[2:])
        red = inputs["after"][:, :1]
        return InferenceResult({"change": np.concatenate((1 - red, 0 * red, red), 1)}, "7")

    async def ready(self, model: str) -> bool:
        return model == detail.MODEL

    async def close(self) -> None:
        return


def test_the_finer_grid_divides_the_site_s(aoi: Aoi) -> None:
    grid = grid_of(aoi)
    finer = detail_grid_of(aoi, grid)
    assert finer is not None
    times = round(GSD_M / DETAIL_GSD_M)
    assert (finer.left - grid.left) % GSD_M == (grid.top - finer.top) % GSD_M == 0
    assert finer.width % times == finer.height % times == 0
    assert finer.mask(aoi.metric).sum() * DETAIL_GSD_M**2 == pytest.approx(aoi.metric.area, rel=0.001)
    assert finer.left >= grid.left
    assert finer.left + finer.width * finer.gsd <= grid.left + grid.width * grid.gsd


def test_a_large_site_has_no_finer_grid() -> None:
    ring = "[[114.1,30.5],[114.15,30.5],[114.15,30.55],[114.1,30.55],[114.1,30.5]]"
    aoi = parse_aoi(f'{{"type":"Polygon","coordinates":[{ring}]}}')
    assert detail_grid_of(aoi, grid_of(aoi)) is None


@pytest.mark.parametrize("with_detail", [True, False])
def test_a_chip_comes_back_from_the_wire_as_it_was(*, with_detail: bool) -> None:
    grid = Grid(32650, 0, 0, 10.0, 4, 6)
    pixels = np.random.default_rng(0).uniform(0, 1, (6, 6, 4)).astype(np.float32)
    finer = np.arange(3 * 8 * 5, dtype=np.uint8).reshape(3, 8, 5) if with_detail else None
    back = wire.unpacked(wire.packed(Chip(pixels, (True,) * 3 + (False,) * 3, 0.5, finer)), grid)
    np.testing.assert_array_equal(back.reflectance, pixels)
    assert (back.bands, back.covered) == ((True, True, True, False, False, False), 0.5)
    assert (back.detail is not None) == with_detail
    if finer is not None:
        np.testing.assert_array_equal(back.detail, finer)


@pytest.mark.parametrize(("gsd", "expected"), [(0.5, True), (3.0, False)])
async def test_only_pictures_that_show_houses_have_detail(
    *, gsd: float, expected: bool, tmp_path: Path, aoi: Aoi
) -> None:
    pixels = np.zeros((3, 900, 900), np.uint8)
    pixels[:] = np.array((200, 100, 50), np.uint8)[:, None, None]
    path = write_tiff(tmp_path / "colour.tif", pixels, aoi, gsd, names=("red", "green", "blue"))
    reader = ImageReader(ImageLimits())
    try:
        grid = grid_of(aoi)
        question = Question((Layer(path),), grid, Sensor.RGB, detail=detail_grid_of(aoi, grid))
        chip = await reader.cut(question, timeout=60)
    finally:
        await reader.close()
    assert (chip.detail is not None) == expected
    if chip.detail is not None:
        middle = chip.detail[:, chip.detail.shape[1] // 2, chip.detail.shape[2] // 2]
        assert list(middle) == [200, 100, 50]
        assert (chip.detail[:, 0, 0] == 0).all(), "the picture does not reach the corner"


async def test_detail_is_cut_from_the_file_that_has_all_colours(tmp_path: Path, aoi: Aoi) -> None:
    names = ("red", "green", "blue", "nir")
    pixels = np.repeat(np.array((200, 100, 50, 150), np.uint8), 900 * 900).reshape(4, 900, 900)
    single = {name: pixels[number][None] for number, name in enumerate(names)}
    files = {name: write_tiff(tmp_path / f"{name}.tif", band, aoi, 0.5, (name,)) for name, band in single.items()}
    colour = write_tiff(tmp_path / "colour.tif", pixels[:3], aoi, 0.5, names)
    grid = grid_of(aoi)
    reader = ImageReader(ImageLimits())
    try:
        together, apart = [
            await reader.cut(
                Question([Layer(path) for path in paths], grid, Sensor.RGB, detail=detail_grid_of(aoi, grid)),
                timeout=60,
            )
            for paths in ((files["nir"], colour), files.values())
        ]
    finally:
        await reader.close()
    assert together.bands == apart.bands == (True,) * 4 + (False,) * 2
    np.testing.assert_array_equal(together.reflectance, apart.reflectance)
    assert apart.detail is None
    assert together.detail is not None
    assert list(together.detail[:, together.detail.shape[1] // 2, together.detail.shape[2] // 2]) == [200, 100, 50]


async def test_a_picture_of_the_surroundings_alone_has_empty_detail(tmp_path: Path, aoi: Aoi) -> None:
    grid = grid_of(aoi)
    pixels = np.full((3, 400, 400), 90, np.uint8)
    corner = {"transform": from_origin(grid.left, grid.top, 0.5, 0.5)}
    path = write_tiff(tmp_path / "corner.tif", pixels, aoi, names=("red", "green", "blue"), **corner)
    site = Site.of(SQUARE)
    reader = ImageReader(ImageLimits())
    try:
        chip = await reader.cut(Question((Layer(path),), grid, Sensor.RGB, detail=site.detail), timeout=60)
    finally:
        await reader.close()
    assert chip.covered > 0
    assert chip.detail is not None
    assert not chip.detail.any()
    dates = chip.detail, ground(chip.detail.shape[1:])
    assert await detailed(seen(site, Surface.AS_BEFORE), dates, site, DetailModel(Echo()), timeout=60) is None


@pytest.mark.parametrize("shape", [(900, 1700), (60, 833), (512, 512)])
async def test_windows_and_tiles_join_without_seams(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    before, after = (rng.integers(1, 256, (3, *shape)).astype(np.uint8) for _ in range(2))
    after[:, 5:9, 5:9] = 0
    echo = Echo()
    percent, version = await DetailModel(echo).changes(before, after, SAME, timeout=60)
    expected = np.round(after[0] / 255 * 100)
    assert np.abs(percent[DetailChange.BUILT].astype(int) - expected).max() <= 1
    assert (percent[DetailChange.BUILT, 5:9, 5:9] == 0).all()
    assert (version, max(echo.sides) <= 512) == ("7", True)


def seen(site: Site, surface: Surface) -> Comparison:
    """A comparison in which all of the 10 m grid has become one thing."""
    shape = site.grid.shape
    surfaces = np.full((len(Surface), *shape), 0.01, np.float32)
    surfaces[surface] = 0.94
    everywhere = np.ones(shape, bool)
    return Comparison(STILL, np.full((6, *shape), 0.2, np.float32), surfaces, everywhere, UNCHANGED, 0.0, "1")


async def test_buildings_are_the_finer_model_s_and_their_kind_the_10_m_model_s() -> None:
    site = Site.of(SQUARE)
    assert site.detail is not None
    before = ground(site.detail.shape) // 2
    after = before.copy()
    after[:, 400:440, 400:480] = 255
    model = DetailModel(Echo())
    found = await detailed(seen(site, Surface.STRUCTURE), (before, after), site, model, timeout=60)
    assert found is not None
    built = np.isin(found.findings.surfaces, BUILT)
    assert built[405:435, 405:475].mean() > 0.95
    assert set(np.unique(found.findings.surfaces[built])) == {Surface.STRUCTURE}
    comparison = found.comparison
    np.testing.assert_allclose(comparison.surfaces.sum(0), 1, atol=1e-5)
    site_px = site.frame.site.sum() * (GSD_M / DETAIL_GSD_M) ** 2
    shares = comparison.measures.shares
    assert sum(shares[kind] for kind in BUILT) == pytest.approx(40 * 80 / site_px, abs=0.01)
    assert comparison.model_version == "1+rgb7"


async def test_a_roof_is_not_a_cloud_but_a_cloud_stays_one() -> None:
    site = Site.of(SQUARE)
    assert site.detail is not None
    before = ground(site.detail.shape) // 2
    after = before.copy()
    after[:, 400:480, 400:520] = 255
    cloudy = replace(seen(site, Surface.COVERED), usable=np.zeros(site.grid.shape, bool))
    found = await detailed(cloudy, (before, after), site, DetailModel(Echo()), timeout=60)
    assert found is not None
    usable = found.findings.usable
    assert usable[400:480, 400:520].all()
    assert not usable[:360].any()
    assert not usable[:, 600:].any()
    assert 24 <= found.comparison.usable.sum() <= 8 * 6, "the hall's 24 pixels of 10 m, and those beside it"


async def test_pictures_of_two_places_stay_at_10_m() -> None:
    site = Site.of(SQUARE)
    assert site.detail is not None
    dates = ground(site.detail.shape, 1), ground(site.detail.shape, 2)
    assert await detailed(seen(site, Surface.AS_BEFORE), dates, site, DetailModel(Echo()), timeout=60) is None


def test_a_piece_is_followed_back_over_both_grids(aoi: Aoi) -> None:
    grid = grid_of(aoi)
    finer = detail_grid_of(aoi, grid)
    assert finer is not None
    middle = finer.height // 2, finer.width // 2
    now = np.zeros(finer.shape, np.uint8)
    now[middle[0] : middle[0] + 80, middle[1] : middle[1] + 80] = Surface.COVERED
    now[middle[0] - 6 : middle[0], middle[1] - 6 : middle[1]] = Surface.COVERED  # 9 m²: no building
    column, row = ~grid.transform * (finer.transform * (middle[1], middle[0]))
    earlier = np.zeros(grid.shape, np.uint8)
    earlier[round(row) : round(row) + 4, round(column) : round(column) + 4] = Surface.FOUNDATION
    nothing = np.zeros(grid.shape, np.uint8)
    everywhere, nowhere = np.ones(grid.shape, bool), np.zeros(grid.shape, bool)
    pieces = Pieces(Dated(5.0, now, np.ones(finer.shape, bool), finer), aoi.metric)
    pieces.look_back(Dated(4.0, nothing, nowhere, grid))
    pieces.look_back(Dated(3.0, earlier, everywhere, grid))
    assert pieces.followed
    pieces.look_back(Dated(2.0, nothing, everywhere, grid))
    assert not pieces.followed
    pieces.look_back(Dated(1.0, earlier, everywhere, grid))
    (piece,) = pieces.segments()
    assert (piece.id, piece.surface, piece.first_seen) == (1, Surface.COVERED, 3.0)
    assert piece.area_m2 == 1600


@pytest.mark.slow
async def test_the_shipped_model_sees_a_hall_appear() -> None:
    before = ground((640, 700))
    after, hall = with_hall(before)
    backend = open_backend(InferenceSettings())
    try:
        percent, version = await DetailModel(backend).changes(before, after, SAME, timeout=120)
        back, _ = await DetailModel(backend).changes(after, before, SAME, timeout=120)
    finally:
        await backend.close()
    found = percent[DetailChange.BUILT] >= BUILT_PERCENT
    assert (found & hall).sum() / (found | hall).sum() > 0.7
    assert found.sum() * DETAIL_GSD_M**2 == pytest.approx(HALL_M2, rel=0.3)
    assert (back[DetailChange.BUILT][hall] >= BUILT_PERCENT).mean() < 0.1, "what was torn down is not built"
    assert version == "1"
