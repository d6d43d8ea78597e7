"""Change between two pictures of one place: a siamese encoder and a light U-Net-like decoder of its differences.

After Daudt, Le Saux and Boulch, "Fully convolutional siamese networks for change detection" (ICIP 2018).
"""

from itertools import pairwise

import torch
from torch import Tensor, nn

from training.progress.rgb.encoder import CHANNELS, pretrained

WIDTHS = (24, 32, 48, 64)
"""Of the decoder at strides 2, 4, 8 and 16."""


class Separable(nn.Module):
    """Depthwise 3 x 3 and pointwise convolution, each normalised, with ReLU.

    Args:
        channels: In.
        out: Channels out.
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            nn.ReLU(),
            nn.Conv2d(channels, out, 1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(),
        )

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, rows, columns] to [n, out, rows, columns]."""
        return self.layers(x)


class Fusion(nn.Module):
    """Both dates' features and their absolute difference, mixed per pixel: what changed, from what and into what.

    Args:
        channels: Of the features of one date.
        out: Channels out.
    """

    def __init__(self, channels: int, out: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(nn.Conv2d(3 * channels, out, 1, bias=False), nn.BatchNorm2d(out), nn.ReLU())

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """Twice [n, channels, rows, columns] to [n, out, rows, columns]."""
        return self.mix(torch.cat((torch.abs(after - before), before, after), dim=1))


class RgbChangeNetwork(nn.Module):
    """What changed between two RGB pictures, per pixel.

    Args:
        classes: Logits per pixel: 1 for change or none.
    """

    def __init__(self, classes: int = 1) -> None:
        super().__init__()
        self.encoder = pretrained()
        self.fusions = nn.ModuleList(Fusion(*sizes) for sizes in zip(CHANNELS, WIDTHS, strict=True))
        self.bottom = Separable(WIDTHS[-1], WIDTHS[-1])
        self.merges = nn.ModuleList(Separable(here + below, here) for here, below in pairwise(WIDTHS))
        self.head = nn.Conv2d(WIDTHS[0], classes, 3, padding=1)

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """Logits at the pictures' resolution.

        Args:
            before: [n, 3, rows, columns], RGB in 0..1, of any size from 32 on.
            after: The same place later, of the same shape.

        Returns:
            [n, classes, rows, columns].
        """
        pictures = torch.cat((before, after))
        size = pictures.shape[-2:]
        pairs = [features.chunk(2) for features in self.encoder(pictures)]
        levels = [fusion(*pair) for fusion, pair in zip(self.fusions, pairs, strict=True)]
        x = self.bottom(levels[-1])
        for level, merge in zip(levels[-2::-1], list(self.merges)[::-1], strict=True):
            x = merge(torch.cat((level, _resized(x, level.shape[-2:])), dim=1))
        return _resized(self.head(x), size)

    def train(self, mode: bool = True) -> "RgbChangeNetwork":  # noqa: FBT001, FBT002
        """Training mode, but for the encoder's batch norms: a batch here is too small to replace ImageNet's moments."""
        super().train(mode)
        self.encoder.eval()
        return self


def _resized(x: Tensor, size: torch.Size) -> Tensor:
    return nn.functional.interpolate(x, size=size, mode="bilinear", align_corners=False)
