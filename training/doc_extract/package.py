"""Turns the fitted role model into the served one: `python -m training.doc_extract.package`.

Exports it, quantises its weights to 8 bits, and writes the files of the model repository.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn

from bankai.inference import label_file
from services.doc_extract.understanding.roles import MODEL, OUTPUT
from training.doc_extract.examples import FIELDS, TAGS
from training.doc_extract.network import RoleNetwork
from training.onnx_export import export
from training.paths import DOC_ROLES, ENCODER_DIR, MODELS_DIR

_CONFIG = f"""\
name: "{MODEL}"
backend: "onnxruntime"
max_batch_size: 16
input [
  {{ name: "input_ids" data_type: TYPE_INT64 dims: [ -1 ] }},
  {{ name: "attention_mask" data_type: TYPE_INT64 dims: [ -1 ] }}
]
output [
  {{ name: "{OUTPUT}" data_type: TYPE_FP32 dims: [ -1, {TAGS} ] }}
]
instance_group [ {{ count: 2 }} ]
dynamic_batching {{
  default_queue_policy {{ max_queue_size: 4096 allow_timeout_override: true }}
}}
"""


class Served(nn.Module):
    """The network with probabilities instead of logits.

    Args:
        network: Fitted.
    """

    def __init__(self, network: RoleNetwork) -> None:
        super().__init__()
        self.network = network

    def forward(self, input_ids: Tensor, attention_mask: Tensor) -> Tensor:
        """Probabilities [rows, length, tags]."""
        return self.network(input_ids, attention_mask).softmax(-1)


def load(encoder_dir: Path, weights: Sequence[Path]) -> RoleNetwork:
    """A fitted network, as deep as its weights are; of several, the mean of their weights.

    The mean of runs that went on from one another errs less than each (Wortsman et al., 2022, arXiv:2203.05482).
    """
    states: list[dict[str, Tensor]] = [torch.load(file, weights_only=True) for file in weights]
    state = {name: torch.stack([each[name].float() for each in states]).mean(0) for name in states[0]}
    layers = {name.split(".")[3] for name in state if name.startswith("encoder.encoder.layer.")}
    network = RoleNetwork(encoder_dir, len(layers), TAGS)
    network.load_state_dict(state)
    return network.eval()


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=ENCODER_DIR, help="folder of training.encoder.extract")
    parser.add_argument(
        "--weights", type=Path, nargs="+", default=[DOC_ROLES], help="weights files of training.doc_extract.train"
    )
    parser.add_argument("--models", type=Path, default=MODELS_DIR, help="model repository (default: %(default)s)")
    parser.add_argument("--version", default="1", help="version folder to write (default: %(default)s)")
    options = parser.parse_args()
    network = load(options.encoder, options.weights)
    network.encoder.set_attn_implementation("eager")  # the form of attention that the exporter's fusion recognises
    folder = options.models / MODEL / options.version
    example = torch.tensor([[0, 500, 501, 2], [0, 502, 2, 1]])
    inputs = {"input_ids": example, "attention_mask": (example != 1).long()}
    export(Served(network).eval(), inputs, (OUTPUT,), folder / "model.onnx", network.encoder.config, per_token=True)
    shutil.copy(options.encoder / "tokenizer.json", folder)
    labels = {"model": MODEL, "fields": FIELDS, "calibration": {}}
    (folder / label_file.FILE).write_text(json.dumps(labels, indent=1) + "\n", encoding="utf-8")
    (options.models / MODEL / "config.pbtxt").write_text(_CONFIG, encoding="utf-8")
    print(f"{folder}: {(folder / 'model.onnx').stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
