"""The multispectral change network: two dates in, what each pixel has become out."""

import torch
from torch import Tensor, nn

from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.imagery.sensors import BANDS

_WIDTH = 32
_DEEP = 48


class ChangeNetwork(nn.Module):
    """A small siamese network; every pixel sees some 300 m around it.

    Small because a whole scene must pass it on a few cores, and because the less it knows of shapes, the better it
    carries over from drawn sites to real ones. It works at half the resolution and answers four pixels at a time
    (sub-pixel convolution, Shi et al., 2016).
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(len(BANDS) + 1, _WIDTH, 4, stride=2, padding=1), nn.ReLU())
        self.pair = nn.Sequential(nn.Conv2d(3 * _WIDTH, _DEEP, 1), nn.ReLU())
        self.blocks = nn.Sequential(*[_Block(_DEEP, reach) for reach in (3, 7, 7, 3)])
        self.out = nn.Sequential(nn.Conv2d(_DEEP, 4 * len(Surface), 1), nn.PixelShuffle(2))

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """Logits [pairs, 7, rows, columns] of two dates' reflectance [pairs, 6, rows, columns]; even sides.

        A band that is missing, and a pixel that is not there, is zero on both dates.
        """
        one, two = self._looked(before), self._looked(after)
        fused = self.blocks(self.pair(torch.cat((one, two, (one - two).abs()), 1)))
        logits: Tensor = self.out(fused)
        return logits

    def _looked(self, picture: Tensor) -> Tensor:
        there = (picture > 0).to(picture.dtype)
        # The square root spreads dark surfaces, of which the ground mostly consists.
        scaled = (picture.clamp(0, 1.5).sqrt() - 0.4) * 3.0 * there
        features: Tensor = self.stem(torch.cat((scaled, there.mean(1, keepdim=True)), 1))
        return features


class _Block(nn.Module):
    def __init__(self, width: int, reach: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(width, width, reach, padding=reach // 2, groups=width)
        self.mix = nn.Sequential(nn.Conv2d(width, width, 1), nn.ReLU(), nn.Conv2d(width, width, 1))

    def forward(self, features: Tensor) -> Tensor:
        changed: Tensor = features + self.mix(self.look(features))
        return changed
