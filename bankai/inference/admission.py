"""Whether a request fits its model, asked before it can share a batch with others."""

from bankai.errors import InvalidRequestError
from bankai.inference.backend import Tensors, TensorSpec
from bankai.inference.config import ModelConfig

BatchKey = tuple[tuple[str, tuple[int, ...]], ...]


def admit(config: ModelConfig, inputs: Tensors) -> tuple[int, BatchKey]:
    """Checks a request's tensors against the model's configuration.

    Returns:
        The request's rows, and a key that is equal for requests whose rows can be stacked.

    Raises:
        InvalidRequestError: MODEL_INPUT_INVALID, saying which tensor is wrong and how.
    """
    key: list[tuple[str, tuple[int, ...]]] = []
    rows = 0
    axis = 1 if config.max_batch_size else 0
    for spec in config.inputs:
        tensor = inputs.get(spec.name)
        if tensor is None:
            if not spec.optional:
                raise _invalid(f"input {spec.name!r} is missing")
            continue
        if tensor.dtype != spec.dtype:
            raise _invalid(f"input {spec.name!r} must have type {spec.dtype}, not {tensor.dtype}")
        shape = tensor.shape[axis:]
        if tensor.ndim != len(spec.shape) + axis or not _fits(shape, spec):
            raise _invalid(f"input {spec.name!r} must have shape {list(spec.shape)} per row, not {list(shape)}")
        if axis:
            if key and rows != tensor.shape[0]:
                raise _invalid(f"input {spec.name!r} has {tensor.shape[0]} rows, the inputs before it {rows}")
            rows = tensor.shape[0]
        key.append((spec.name, shape))
    if len(key) != len(inputs):
        unknown = sorted(set(inputs) - {name for name, _ in key})
        raise _invalid(f"the model has no input {unknown[0]!r}")
    if axis and not 1 <= rows <= config.max_batch_size:
        raise _invalid(f"a request has 1 to {config.max_batch_size} rows, not {rows}")
    return rows or 1, tuple(key)


def _fits(shape: tuple[int, ...], spec: TensorSpec) -> bool:
    return all(wanted in (-1, length) for length, wanted in zip(shape, spec.shape, strict=True))


def _invalid(message: str) -> InvalidRequestError:
    return InvalidRequestError("MODEL_INPUT_INVALID", message)
