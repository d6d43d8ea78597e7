"""A torch module to a served ONNX file: exported, its attention fused, its weights quantised to 8 bits."""

import tempfile
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers import optimizer
from torch import Tensor, nn
from transformers import BertConfig

_OPSET = 17


def trace(
    module: nn.Module,
    inputs: Mapping[str, Tensor],
    outputs: Sequence[str],
    path: Path,
    axes: Mapping[str, Mapping[int, str]],
) -> None:
    """Writes an ONNX file as the module is, by following it through one example.

    Args:
        module: In evaluation mode.
        inputs: Example inputs by name, in the order of the module's arguments.
        outputs: Names of the outputs.
        path: File to write; its folder is made where it is missing.
        axes: Names of the dynamic axes by number, for each input and output.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with torch.no_grad(), warnings.catch_warnings():
        # The tracing exporter is deprecated in favour of one that needs a further package and writes graphs that the
        # attention fusion below does not recognise.
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module,
            tuple(inputs.values()),
            str(path),
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_axes={name: dict(named) for name, named in axes.items()},
            opset_version=_OPSET,
            dynamo=False,
        )


def export(  # noqa: PLR0913  # what an ONNX file is made from
    module: nn.Module,
    inputs: dict[str, Tensor],
    outputs: Sequence[str],
    path: Path,
    encoder: BertConfig | None = None,
    *,
    per_token: bool = False,
) -> None:
    """Writes a quantised ONNX file whose every input axis is dynamic.

    Args:
        module: In evaluation mode.
        inputs: Example inputs by name, in the order of the module's arguments; [rows, length].
        outputs: Names of the outputs.
        path: File to write.
        encoder: Sizes of the encoder inside, to fuse its attention; None where there is none.
        per_token: Whether the outputs' second axis is as long as the first input's.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the tools below
        whole = Path(folder) / "whole.onnx"
        axes = {name: {0: "rows", 1: f"{name}_length"} for name in inputs}
        tokens = {1: axes[next(iter(inputs))][1]} if per_token else {}
        axes |= {name: {0: "rows"} | tokens for name in outputs}
        trace(module.cpu(), inputs, outputs, whole, axes)
        if encoder is not None:
            fused = optimizer.optimize_model(
                str(whole), model_type="bert", num_heads=encoder.num_attention_heads, hidden_size=encoder.hidden_size
            )
            fused.save_model_to_file(str(whole))
        quantize_dynamic(
            str(whole),
            str(path),
            weight_type=QuantType.QInt8,
            per_channel=True,
            # Shape inference knows nothing of the fused operators' outputs.
            extra_options={"DefaultTensorType": TensorProto.FLOAT},
        )
