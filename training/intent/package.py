"""Turns the distilled network into the served models: `python -m training.intent.package`.

Exports and quantises `intent` and `intent_partial`, calibrates each on the validation batches as it will be served
(8-bit), and writes the files of the model repository: config.pbtxt, model.onnx, labels.json and tokenizer.json.
"""

import argparse
import json
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray
from torch import nn

from bankai.inference import label_file
from services.intent.encoding import TextEncoder, ngrams
from training.batching import encode
from training.intent import examples
from training.intent.calibrate import apply, calibrate, holding_threshold
from training.intent.examples import Example
from training.intent.networks import load
from training.intent.noise import Homophones, Noise
from training.intent.serving import Calibration, ServedFull, ServedPartial
from training.intent.taxonomy import taxonomy
from training.network import FusedNetwork
from training.onnx_export import export
from training.paths import ENCODER_DIR, INTENT_STUDENT, MODELS_DIR

OUTPUTS = ("intent_probs", "emotion_probs", "intensity")

CONFIG = """\
name: "{name}"
backend: "onnxruntime"
max_batch_size: 32
{inputs}
output [
  {{ name: "intent_probs" data_type: TYPE_FP32 dims: [ {intents} ] }},
  {{ name: "emotion_probs" data_type: TYPE_FP32 dims: [ {emotions} ] }},
  {{ name: "intensity" data_type: TYPE_FP32 dims: [ 1 ] }}
]
instance_group [ {{ count: 2 }} ]
dynamic_batching {{
  default_queue_policy {{ max_queue_size: {queue} allow_timeout_override: true }}
}}
"""


@dataclass(frozen=True)
class Variant:
    """One served model made from the network.

    Attributes:
        name: Of the model in the repository.
        inputs: Names of its input tensors, in the order of the module's arguments.
        module: Makes the module to export for a calibration.
        encode: Makes the inputs of one text.
        queue: Requests that may wait before more are refused.
        prefixes: Whether it reads the beginnings of utterances.
    """

    name: str
    inputs: tuple[str, ...]
    module: Callable[[FusedNetwork, Calibration], nn.Module]
    encode: Callable[[TextEncoder, str], dict[str, NDArray[np.int64]]]
    queue: int
    prefixes: bool


VARIANTS = (
    Variant(
        "intent",
        ("input_ids", "attention_mask", "ngram_ids"),
        ServedFull,
        lambda encoder, text: encoder.full(text),
        queue=4096,
        prefixes=False,
    ),
    Variant(
        "intent_partial",
        ("ngram_ids",),
        lambda network, calibration: ServedPartial(network.ngrams, network.heads, calibration),
        lambda _, text: ngrams(text),
        queue=4096,
        prefixes=True,
    ),
)


def package(network: FusedNetwork, variant: Variant, encoder_dir: Path, models_dir: Path, version: str) -> None:
    """Writes one variant into the model repository."""
    folder = models_dir / variant.name / version
    encoder = TextEncoder(encoder_dir / "tokenizer.json")
    rows = examples.corpus("val")
    if variant.prefixes:
        noise = Noise(Homophones(row.text for row in rows), Random(0))
        rows = [replace(row, text=noise.prefix(row.text)) for row in rows]
    with tempfile.TemporaryDirectory() as scratch:
        plain = Path(scratch) / "model.onnx"
        _export(network, variant, Calibration(), encoder, plain)
        intents, emotions = _answers(plain, variant, encoder, rows)
    calibration = calibrate(intents, emotions, rows)
    threshold = holding_threshold(apply(calibration, intents), rows)
    _export(network, variant, calibration, encoder, folder / "model.onnx")
    if "input_ids" in variant.inputs:
        shutil.copy(encoder_dir / "tokenizer.json", folder)
    _write_labels(folder / label_file.FILE, variant.name, threshold)
    _write_config(models_dir / variant.name / "config.pbtxt", variant)
    size = (folder / "model.onnx").stat().st_size / 1e6
    print(f"{folder}: {size:.1f} MB, an intent holds at {threshold:.2f}, {calibration}")


def _export(
    network: FusedNetwork, variant: Variant, calibration: Calibration, encoder: TextEncoder, path: Path
) -> None:
    sample = encode(encoder, ["我的卡丢了怎么办", "i lost my card, what do i do now"], torch.device("cpu"))._asdict()
    export(
        variant.module(network, calibration).eval(),
        {name: sample[name] for name in variant.inputs},
        OUTPUTS,
        path,
        network.encoder.config if "input_ids" in variant.inputs else None,
    )


def _answers(
    path: Path, variant: Variant, encoder: TextEncoder, rows: Sequence[Example]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    answers = [session.run(list(OUTPUTS[:2]), dict(variant.encode(encoder, row.text))) for row in rows]
    return np.concatenate([a for a, _ in answers]), np.concatenate([b for _, b in answers])


def _write_labels(path: Path, name: str, threshold: float) -> None:
    intents = [{key: intent[key] for key in ("id", "zh", "en", "covers")} for intent in taxonomy().intents]
    labels = {"model": name, "intents": intents, "emotions": list(taxonomy().emotions), "holds_at": threshold}
    path.write_text(json.dumps(labels, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _write_config(path: Path, variant: Variant) -> None:
    inputs = ",\n".join(f'  {{ name: "{name}" data_type: TYPE_INT64 dims: [ -1 ] }}' for name in variant.inputs)
    path.write_text(
        CONFIG.format(
            name=variant.name,
            inputs=f"input [\n{inputs}\n]",
            intents=len(taxonomy().intents),
            emotions=len(taxonomy().emotions),
            queue=variant.queue,
        ),
        encoding="utf-8",
    )


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--encoder", type=Path, default=ENCODER_DIR, help="folder of training.encoder.extract")
    parser.add_argument("--weights", type=Path, default=INTENT_STUDENT, help="weights file of training.intent.distil")
    parser.add_argument("--models", type=Path, default=MODELS_DIR, help="model repository (default: %(default)s)")
    parser.add_argument("--version", default="1", help="version folder to write (default: %(default)s)")
    options = parser.parse_args()
    network = load(options.encoder, options.weights)
    network.encoder.set_attn_implementation("eager")  # the form of attention that the exporter's fusion recognises
    for variant in VARIANTS:
        package(network, variant, options.encoder, options.models, options.version)


if __name__ == "__main__":
    main()
