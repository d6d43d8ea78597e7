import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from services.progress_monitor.change.tiles import Mosaic, tiles


@given(st.integers(2, 300), st.integers(2, 300), st.sampled_from([64, 128, 200]))
def test_tiles_cover_a_raster_and_join_without_seams(rows: int, columns: int, side: int) -> None:
    layers = np.random.default_rng(rows * 301 + columns).uniform(0, 1, (2, rows, columns)).astype(np.float32)
    mosaic = Mosaic(2, (rows, columns))
    for tile in tiles((rows, columns), side):
        part = tile.of(layers)
        assert part.shape == (2, *tile.size)
        assert tile.size[0] % 2 == tile.size[1] % 2 == 0
        mosaic.add(tile, part)
    np.testing.assert_allclose(mosaic.blended(), layers, rtol=1e-5, atol=1e-6)
