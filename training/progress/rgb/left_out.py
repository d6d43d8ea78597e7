"""How far labels of a place's own kind help: SZTAKI's scenes left out in turn, on what the shipped network sees.

    python -m training.progress.rgb.left_out --weights FILE --data DIR

The network stays as it is. Boosted trees learn from its features, and from colours and their differences, which changes
the annotators meant; the threshold is chosen on the other scenes' left-out answers. Research only: SZTAKI's labels may
not be shipped.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from torch import Tensor, nn

from services.progress_monitor.change.detail import DetailChange
from services.progress_monitor.evaluation.counts import PixelCounts
from training.paths import PUBLIC_DATA_DIR, RGB_CHANGE
from training.progress.rgb.drawn.pairs import alike
from training.progress.rgb.fitting import pictures
from training.progress.rgb.network import RgbChangeNetwork
from training.progress.rgb.real_pairs import Pair, sztaki_airchange

_PIXELS = 3000
"""Changed pixels that are learnt from in each pair; of the others twice as many."""
_THRESHOLDS = np.arange(0.30, 0.96, 0.05)
_BLURS = (5, 15, 41)
_SPREADS = (5, 15)


@dataclass(frozen=True, slots=True, eq=False)
class Described:
    """A pair at half its resolution.

    Attributes:
        pair: The pair.
        features: [rows, columns, features].
        changed: [rows, columns].
    """

    pair: Pair
    features: NDArray[np.float16]
    changed: NDArray[np.bool_]

    def likelihood(self, trees: HistGradientBoostingClassifier) -> NDArray[np.float32]:
        """How likely each pixel changed; [rows, columns]."""
        flat = self.features.reshape(-1, self.features.shape[2]).astype(np.float32)
        likely = trees.predict_proba(flat)[:, 1].reshape(self.changed.shape).astype(np.float32)
        return np.asarray(cv2.GaussianBlur(likely, (0, 0), 2), np.float32)


def describe(network: RgbChangeNetwork, pair: Pair) -> Described:
    """What the network sees of a pair: its logits and the input of its last layer, both dates' colours, differences."""
    seen: list[Tensor] = []
    hooks = [
        layer.register_forward_hook(lambda _module, _inputs, output: seen.append(output))
        for layer in (network.bottom, *network.merges, network.head)
    ]
    dates = pictures([pair.before, alike(pair.after, pair.before)])
    with torch.inference_mode():
        network(dates[:1], dates[1:])
        colours = nn.functional.avg_pool2d(dates, 2)
        away = colours[1:] - colours[:1]
        grey = colours.mean(1, keepdim=True)
        size = (colours.shape[2], colours.shape[3])
        spread = [(_blurred(grey**2, k) - _blurred(grey, k) ** 2).clamp_min(0).sqrt() for k in _SPREADS]
        layers = [nn.functional.interpolate(each, size=size, mode="bilinear", align_corners=False) for each in seen]
        layers += [colours[:1], colours[1:], away, *(_blurred(away, k) for k in _BLURS)]
        layers += [each.reshape(1, 2, *size) for each in spread]
        features = torch.cat(layers, 1)[0].permute(1, 2, 0).half().cpu().numpy()
    for hook in hooks:
        hook.remove()
    return Described(pair, features, pair.mask[::2, ::2][: size[0], : size[1]] > 0)


def fit(pairs: Sequence[Described], seed: int) -> HistGradientBoostingClassifier:
    """Trees fitted to some of the pairs' pixels."""
    rng = np.random.default_rng(seed)
    features, changed = [], []
    for each in pairs:
        yes, no = np.flatnonzero(each.changed), np.flatnonzero(~each.changed)
        chosen = np.concatenate((rng.choice(yes, min(len(yes), _PIXELS)), rng.choice(no, 2 * _PIXELS)))
        features.append(each.features.reshape(-1, each.features.shape[2])[chosen].astype(np.float32))
        changed.append(each.changed.ravel()[chosen])
    trees = HistGradientBoostingClassifier(
        max_iter=120,
        learning_rate=0.08,
        max_leaf_nodes=24,
        min_samples_leaf=100,
        l2_regularization=5,
        random_state=seed,
    )
    return trees.fit(np.concatenate(features), np.concatenate(changed))


def measure(pairs: Sequence[Described], seed: int) -> dict[str, PixelCounts]:
    """Counts of each left-out pair, at full resolution."""
    scenes = sorted({each.pair.scene for each in pairs})
    found: dict[str, NDArray[np.float32]] = {}
    for scene in scenes:
        trees = fit([each for each in pairs if each.pair.scene != scene], seed)
        found |= {each.pair.name: each.likelihood(trees) for each in pairs if each.pair.scene == scene}
    counts = {}
    for scene in scenes:
        others = [(found[each.pair.name], each.changed) for each in pairs if each.pair.scene != scene]
        threshold = max(_THRESHOLDS, key=lambda level: _together(others, level).f1)
        for each in pairs:
            if each.pair.scene == scene:
                large = cv2.resize(found[each.pair.name], each.pair.mask.shape[::-1])
                counts[each.pair.name] = PixelCounts.of(np.asarray(large > threshold), each.pair.mask > 0)
    return counts


def _together(found: Sequence[tuple[NDArray[np.float32], NDArray[np.bool_]]], level: float) -> PixelCounts:
    return sum((PixelCounts.of(likely > level, changed) for likely, changed in found), PixelCounts())


def _blurred(x: Tensor, side: int) -> Tensor:
    return nn.functional.avg_pool2d(x, side, 1, side // 2)


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--weights", type=Path, default=RGB_CHANGE, help="of the shipped network")
    parser.add_argument("--data", type=Path, default=PUBLIC_DATA_DIR, help="folder of SZTAKI's folder")
    parser.add_argument("--seed", type=int, default=0, help="(default: %(default)s)")
    options = parser.parse_args()
    network = RgbChangeNetwork(len(DetailChange))
    network.load_state_dict(torch.load(options.weights))
    network.eval()
    counts = measure([describe(network, pair) for pair in sztaki_airchange(options.data)], options.seed)
    for name, seen in counts.items():
        print(f"{name:<14}{seen.precision:>8.3f}{seen.recall:>8.3f}{seen.f1:>8.3f}")
    whole = sum(counts.values(), PixelCounts())
    print(json.dumps({each: round(float(getattr(whole, each)), 3) for each in ("precision", "recall", "f1")}))


if __name__ == "__main__":
    main()
