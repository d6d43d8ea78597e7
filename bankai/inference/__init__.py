"""Inference: tensors in, tensors out, whichever backend answers."""

from typing import assert_never

from bankai.inference.backend import InferenceBackend
from bankai.inference.observed import ObservedBackend
from bankai.inference.onnx import OnnxBackend
from bankai.inference.repository import ModelRepository
from bankai.inference.triton import TritonBackend
from bankai.settings import InferenceSettings


def open_backend(settings: InferenceSettings) -> InferenceBackend:
    """Opens the backend that the settings name. It connects and loads when it is first used.

    Args:
        settings: Which backend, and where its models or its server are.
    """
    match settings.backend:
        case "onnx":
            return ObservedBackend(OnnxBackend(ModelRepository(settings.models_dir), threads=settings.threads))
        case "triton":
            return ObservedBackend(TritonBackend(settings.triton_url))
        case _:
            assert_never(settings.backend)
