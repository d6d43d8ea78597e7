from pathlib import Path

import cv2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="needs the training extra")

from bankai.inference import open_backend
from bankai.settings import InferenceSettings
from services.progress_monitor.change.detail import MODEL, DetailChange
from training.progress.rgb.drawn.ground import BUILT_UP, FIELDS, HELD_BACK, OPEN, Ground
from training.progress.rgb.drawn.pairs import UNSURE, draw_pair
from training.progress.rgb.export import Answering, export
from training.progress.rgb.network import RgbChangeNetwork
from training.progress.rgb.train import surface_loss


@pytest.fixture
def ground() -> Ground:
    """Grey tiles with some texture, of every kind."""
    rng = np.random.default_rng(0)
    tiles = [rng.integers(90, 120, (256, 256, 3)).astype(np.uint8) for _ in range(2)]
    return Ground(dict.fromkeys((*OPEN, *BUILT_UP, *FIELDS), tiles))


def test_a_pair_is_drawn_the_same_twice_and_says_what_changed(ground: Ground) -> None:
    built, same = [], []
    for seed in range(16):
        pair, again = (draw_pair(ground, 96, np.random.default_rng(seed)) for _ in range(2))
        np.testing.assert_array_equal(pair.after, again.after)
        assert pair.before.shape == pair.after.shape == (96, 96, 3)
        assert set(np.unique(pair.target)) <= {*DetailChange, UNSURE}
        away = np.abs(pair.after.astype(int) - pair.before).mean(2)
        built.append(away[pair.target == DetailChange.BUILT])
        same.append(away[pair.target == DetailChange.AS_BEFORE])
    assert np.concatenate(built).mean() > 1.5 * np.concatenate(same).mean()


def test_most_pairs_change_and_some_do_not(ground: Ground) -> None:
    shares = [(draw_pair(ground, 64, np.random.default_rng(seed)).target > 0).mean() for seed in range(40)]
    assert 0.05 < np.mean(np.array(shares) == 0) < 0.5
    assert 0.05 < np.mean(shares) < 0.7


def test_pictures_held_back_are_not_fitted_on(tmp_path: Path) -> None:
    folder = tmp_path / "forest"
    folder.mkdir()
    for number in range(HELD_BACK + 3):
        cv2.imwrite(str(folder / f"forest{number:02d}.png"), np.full((256, 256, 3), number, np.uint8))
    fitted, held = (Ground.read(tmp_path, held_back=held).tiles["forest"] for held in (False, True))
    assert [int(tile[0, 0, 0]) for tile in fitted] == [0, 1, 2]
    assert [int(tile[0, 0, 0]) for tile in held] == list(range(3, HELD_BACK + 3))
    with pytest.raises(SystemExit, match="uc_merced"):
        Ground.read(tmp_path / "nothing")


def test_what_changed_for_sure_may_be_ground_or_building() -> None:
    logits = torch.tensor([0.0, 5.0, 5.0]).reshape(1, 3, 1, 1).expand(1, 3, 4, 4)
    unsure = torch.full((1, 4, 4), UNSURE)
    same = torch.zeros((1, 4, 4), dtype=torch.int64)
    assert surface_loss(logits, unsure) < 0.02
    assert surface_loss(logits, same) > 4


@pytest.mark.slow
async def test_the_served_network_answers_as_the_fitted_one(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = RgbChangeNetwork(len(DetailChange)).eval()
    export(network, tmp_path / MODEL)
    before, after = torch.rand(2, 1, 3, 96, 70)
    backend = open_backend(InferenceSettings(models_dir=tmp_path))
    try:
        inputs = {"before": before.numpy(), "after": after.numpy()}
        answer = await backend.infer(MODEL, inputs, timeout=60)
    finally:
        await backend.close()
    with torch.inference_mode():
        expected = Answering(network)(before, after).numpy()
    np.testing.assert_allclose(answer.outputs["change"], expected, atol=1e-3)
