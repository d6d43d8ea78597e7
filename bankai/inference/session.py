"""Opening a model file with onnxruntime, and holding it to its configuration."""

from pathlib import Path
from typing import Any

import onnxruntime

from bankai.errors import FaultError
from bankai.inference.backend import TensorSpec
from bankai.inference.config import ModelConfig

_DTYPES = {"float": "float32", "double": "float64", "string": "object"}


def open_session(folder: Path, config: ModelConfig, *, threads: int) -> onnxruntime.InferenceSession:
    """Opens a version of a model.

    Args:
        folder: The version's folder.
        config: The model's configuration.
        threads: Threads within one run.

    Raises:
        FaultError: MODEL_FILE_INVALID where onnxruntime cannot load the file, MODEL_CONFIG_INVALID where its tensors
            are not those of the configuration. For operators: the message names the model.
    """
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Batches and pictures change shape from run to run: a plan kept for every shape takes memory and saves no time.
    options.enable_mem_pattern = False
    options.log_severity_level = 3  # errors; warnings about optimisations are of no use to an operator
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    try:
        session = onnxruntime.InferenceSession(str(folder / config.file), options, providers=["CPUExecutionProvider"])
    # onnxruntime raises a class of its own for each way in which a file can be wrong, all straight from Exception.
    except Exception as error:
        problem = str(error).replace(str(folder), folder.name)  # where the repository lies is nobody's business
        raise FaultError("MODEL_FILE_INVALID", f"model {config.name!r} cannot be loaded: {problem}") from error
    inputs = {node.name: node for node in session.get_inputs()}
    outputs = {node.name: node for node in session.get_outputs()}
    for spec in config.inputs:
        _check(config, "input", spec, inputs.get(spec.name))
    for spec in config.outputs:
        _check(config, "output", spec, outputs.get(spec.name))
    unset = set(inputs) - {spec.name for spec in config.inputs}
    if unset:
        raise _unfit(config, f"lacks input {min(unset)!r}")
    return session


def _check(config: ModelConfig, kind: str, spec: TensorSpec, node: Any) -> None:
    if node is None:
        raise _unfit(config, f"has {kind} {spec.name!r}, which the file does not have")
    name = node.type.removeprefix("tensor(").removesuffix(")")
    if _DTYPES.get(name, name) != spec.dtype.name:
        raise _unfit(config, f"says that {kind} {spec.name!r} is {spec.dtype}, the file says {name}")
    axes = len(spec.shape) + bool(config.max_batch_size)
    # A file need not tell its shapes; an empty list is what onnxruntime says then, and for a scalar.
    if node.shape and len(node.shape) != axes:
        raise _unfit(config, f"gives {kind} {spec.name!r} {axes} axes with the batch, the file {len(node.shape)}")


def _unfit(config: ModelConfig, what: str) -> FaultError:
    return FaultError("MODEL_CONFIG_INVALID", f"config.pbtxt of model {config.name!r} {what}")
