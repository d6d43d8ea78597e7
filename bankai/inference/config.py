"""A model's config.pbtxt as the embedded backend understands it.

The file is Triton's own format, read with Triton's own message. What only Triton can do (ensembles, sequences, ragged
batches, priorities) is refused here with a clear message: serving it differently would be worse than not serving it.
"""

from dataclasses import dataclass

import numpy as np
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2
from tritonclient.utils import triton_to_np_dtype

from bankai.errors import FaultError
from bankai.inference.backend import TensorSpec

_BACKENDS = {"onnxruntime", "onnxruntime_onnx"}
_DEFAULT_FILE = "model.onnx"
_DEFAULT_INSTANCES = 2  # what Triton gives an onnxruntime model on CPU whose configuration names no count


@dataclass(frozen=True)
class QueuePolicy:
    """How long a model's queue may get.

    Attributes:
        max_size: Requests that may wait; 0 for any number.
        timeout: Seconds that a request may wait; 0 for as long as its deadline allows.
    """

    max_size: int = 0
    timeout: float = 0.0


@dataclass(frozen=True)
class BatchPolicy:
    """How waiting requests become a batch.

    Attributes:
        max_rows: Rows that one run takes at most.
        preferred_rows: Batch sizes to run at once where the queue offers them, ascending; never empty.
        max_delay: Seconds that the oldest request may wait for company; 0 runs whatever is there.
    """

    max_rows: int
    preferred_rows: tuple[int, ...]
    max_delay: float = 0.0


@dataclass(frozen=True)
class ModelConfig:
    """What one model takes, answers and allows.

    Attributes:
        name: Name of the model, the same as its folder's.
        max_batch_size: Rows of axis 0 at most; 0 where the model's tensors have no batch axis.
        inputs: Its inputs; shapes leave out the batch axis.
        outputs: Its outputs; shapes leave out the batch axis.
        instances: Runs that may happen at the same time.
        batching: How requests are joined, or None where each runs alone.
        queue: Limits of the queue.
        versions: Version numbers to serve where the policy names them; None for the newest.
        file: Name of the model file inside a version folder.
    """

    name: str
    max_batch_size: int
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    instances: int
    batching: BatchPolicy | None
    queue: QueuePolicy
    versions: frozenset[int] | None
    file: str


def parse(text: str, name: str) -> ModelConfig:
    """Reads a config.pbtxt.

    Args:
        text: What the file says.
        name: Name of the model's folder.

    Raises:
        FaultError: MODEL_CONFIG_INVALID, saying what is wrong in which model. For operators: it names the model.
    """
    message = model_config_pb2.ModelConfig()
    try:
        text_format.Parse(text, message)
    except text_format.ParseError as error:
        raise _invalid(name, f"it is no model configuration: {error}") from None
    _refuse_unsupported(message, name)
    rows = message.max_batch_size
    return ModelConfig(
        name=name,
        max_batch_size=rows,
        inputs=tuple(_tensor(tensor, name, optional=tensor.optional) for tensor in message.input),
        outputs=tuple(_tensor(tensor, name) for tensor in message.output),
        instances=sum(group.count or _DEFAULT_INSTANCES for group in message.instance_group) or _DEFAULT_INSTANCES,
        batching=_batching(message, name) if message.HasField("dynamic_batching") and rows else None,
        queue=_queue(message.dynamic_batching.default_queue_policy),
        versions=_versions(message.version_policy),
        file=message.default_model_filename or _DEFAULT_FILE,
    )


def _refuse_unsupported(message: model_config_pb2.ModelConfig, name: str) -> None:
    batching = message.dynamic_batching
    faults = {
        f"the name inside is {message.name!r}": bool(message.name) and message.name != name,
        "backend must be onnxruntime": (message.backend or message.platform) not in _BACKENDS,
        "max_batch_size must not be negative": message.max_batch_size < 0,
        "at least one input and one output are needed": not (message.input and message.output),
        "only dynamic_batching can be served embedded": message.WhichOneof("scheduling_choice")
        not in {None, "dynamic_batching"},
        "priority levels cannot be served embedded": batching.priority_levels > 0,
        "timeout_action DELAY cannot be served embedded": batching.default_queue_policy.timeout_action != 0,
        "reshape cannot be served embedded": any(t.HasField("reshape") for t in (*message.input, *message.output)),
        "ragged batches cannot be served embedded": any(t.allow_ragged_batch for t in message.input),
        "batch inputs and outputs cannot be served embedded": bool(message.batch_input or message.batch_output),
    }
    for fault, present in faults.items():
        if present:
            raise _invalid(name, fault)


def _tensor(
    message: model_config_pb2.ModelInput | model_config_pb2.ModelOutput, name: str, *, optional: bool = False
) -> TensorSpec:
    kind = model_config_pb2.DataType.Name(message.data_type).removeprefix("TYPE_")
    dtype = triton_to_np_dtype("BYTES" if kind == "STRING" else kind)
    # numpy has no bfloat16; tritonclient stands float32 in for it, onnxruntime does not take that.
    if dtype is None or kind == "BF16":
        raise _invalid(name, f"tensor {message.name!r} has type {kind}, which cannot be served")
    return TensorSpec(name=message.name, dtype=np.dtype(dtype), shape=tuple(message.dims), optional=optional)


def _batching(message: model_config_pb2.ModelConfig, name: str) -> BatchPolicy:
    most = message.max_batch_size
    preferred = tuple(sorted(message.dynamic_batching.preferred_batch_size)) or (most,)
    if not 0 < preferred[0] <= preferred[-1] <= most:
        raise _invalid(name, f"preferred_batch_size must lie between 1 and max_batch_size, {most}")
    delay = message.dynamic_batching.max_queue_delay_microseconds
    return BatchPolicy(max_rows=most, preferred_rows=preferred, max_delay=delay / 1e6)


def _queue(message: model_config_pb2.ModelQueuePolicy) -> QueuePolicy:
    return QueuePolicy(max_size=message.max_queue_size, timeout=message.default_timeout_microseconds / 1e6)


def _versions(policy: model_config_pb2.ModelVersionPolicy) -> frozenset[int] | None:
    return frozenset(policy.specific.versions) if policy.HasField("specific") else None


def _invalid(name: str, what: str) -> FaultError:
    return FaultError("MODEL_CONFIG_INVALID", f"config.pbtxt of model {name!r}: {what}")
