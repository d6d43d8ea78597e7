"""Writes the fitted change network into the model repository."""

import argparse
from pathlib import Path

import torch
from torch import Tensor, nn

from bankai.settings import InferenceSettings
from services.progress_monitor.change.model import MODEL
from services.progress_monitor.change.surfaces import Surface
from services.progress_monitor.imagery.sensors import BANDS
from training.onnx_export import trace
from training.progress.network import ChangeNetwork

_CONFIG = f"""name: "{MODEL}"
backend: "onnxruntime"
max_batch_size: 4
input [
  {{ name: "before" data_type: TYPE_FP32 dims: [ {len(BANDS)}, -1, -1 ] }},
  {{ name: "after" data_type: TYPE_FP32 dims: [ {len(BANDS)}, -1, -1 ] }}
]
output [
  {{ name: "surfaces" data_type: TYPE_FP32 dims: [ {len(Surface)}, -1, -1 ] }}
]
instance_group [ {{ count: 2 }} ]
"""


class Answering(nn.Module):
    """The network as it is served: probabilities instead of logits.

    Args:
        network: The fitted network.
    """

    def __init__(self, network: ChangeNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, before: Tensor, after: Tensor) -> Tensor:
        """Probabilities [pairs, 7, rows, columns]."""
        return torch.softmax(self.network(before, after), 1)


def export(network: ChangeNetwork, folder: Path) -> None:
    """Writes the network and its config.pbtxt into a model's folder."""
    example = torch.rand(1, len(BANDS), 64, 64)
    axes = {name: {0: "pairs", 2: "rows", 3: "columns"} for name in ("before", "after", "surfaces")}
    inputs = {"before": example, "after": example}
    trace(Answering(network).eval(), inputs, ["surfaces"], folder / "1" / "model.onnx", axes)
    (folder / "config.pbtxt").write_text(_CONFIG, encoding="utf-8")


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, default=Path("var/progress/change.pt"))
    parser.add_argument("--models", type=Path, default=InferenceSettings().models_dir)
    arguments = parser.parse_args()
    network = ChangeNetwork()
    network.load_state_dict(torch.load(arguments.weights))
    export(network, arguments.models / MODEL)


if __name__ == "__main__":
    main()
