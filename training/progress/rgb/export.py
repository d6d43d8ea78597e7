"""Writes the fitted sub-metre change network into the model repository."""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from bankai.settings import InferenceSettings
from services.progress_monitor.change.detail import MODEL, DetailChange
from training.onnx_export import trace
from training.paths import RGB_CHANGE
from training.progress.rgb.network import RgbChangeNetwork

_CONFIG = f"""name: "{MODEL}"
backend: "onnxruntime"
max_batch_size: 4
input [
  {{ name: "before" data_type: TYPE_FP32 dims: [ 3, -1, -1 ] }},
  {{ name: "after" data_type: TYPE_FP32 dims: [ 3, -1, -1 ] }}
]
output [
  {{ name: "change" data_type: TYPE_FP32 dims: [ {len(DetailChange)}, -1, -1 ] }}
]
instance_group [ {{ count: 2 }} ]
"""


class Answering(nn.Module):
    """The network as it is served: probabilities instead of logits.

    Args:
        network: The fitted network.
    """

    def __init__(self, network: RgbChangeNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """Probabilities [pairs, classes, rows, columns]."""
        return torch.softmax(self.network(before, after), 1)


def export(network: RgbChangeNetwork, folder: Path) -> None:
    """Writes the network and its config.pbtxt into a model's folder."""
    example = torch.rand(1, 3, 64, 64)
    axes = {name: {0: "pairs", 2: "rows", 3: "columns"} for name in ("before", "after", "change")}
    inputs = {"before": example, "after": example}
    trace(Answering(network).eval(), inputs, ["change"], folder / "1" / "model.onnx", axes)
    (folder / "config.pbtxt").write_text(_CONFIG, encoding="utf-8")


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=RGB_CHANGE)
    parser.add_argument("--models", type=Path, default=InferenceSettings().models_dir)
    arguments = parser.parse_args()
    network = RgbChangeNetwork(len(DetailChange))
    network.load_state_dict(torch.load(arguments.weights))
    export(network, arguments.models / MODEL)


if __name__ == "__main__":
    main()
