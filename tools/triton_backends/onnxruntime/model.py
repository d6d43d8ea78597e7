"""Triton backend "onnxruntime" for a server that has the Python backend only.

Triton runs this file for every model whose config.pbtxt says `backend: "onnxruntime"`; the official container has a C++
backend of that name, which serves the same model repository. It runs inside Triton's Python stub, in the environment of
requirements/triton.txt, and can use nothing of the project.
"""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import triton_python_backend_utils as pb_utils


class TritonPythonModel:
    """One instance of one model version, as Triton's Python backend wants it."""

    def initialize(self, args: dict[str, str]) -> None:
        """Opens the model file.

        Args:
            args: Triton's description of the instance: its configuration as JSON, repository folder and version.
        """
        config = json.loads(args["model_config"])
        folder = Path(args["model_repository"]) / args["model_version"]
        options = onnxruntime.SessionOptions()
        # The C++ backend's name for it. One thread by default: instances are how a model uses more cores.
        threads = config["parameters"].get("intra_op_thread_count", {}).get("string_value", "1")
        options.intra_op_num_threads = int(threads)
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(folder / (config["default_model_filename"] or "model.onnx")),
            options,
            providers=["CPUExecutionProvider"],
        )
        self._batched = config["max_batch_size"] > 0
        self._inputs = [entry["name"] for entry in config["input"]]
        self._outputs = [entry["name"] for entry in config["output"]]

    def execute(self, requests: list) -> list:
        """Answers the requests of one batch, each with its own rows or its own error.

        Args:
            requests: What Triton's scheduler joined.

        Returns:
            One response per request, in their order.
        """
        responses = [None] * len(requests)
        groups = {}
        for index, request in enumerate(requests):
            if request.is_cancelled():
                responses[index] = _error("cancelled", pb_utils.TritonError.CANCELLED)
                continue
            feed = self._feed(request)
            # Requests without a batch axis cannot be stacked, whatever their shapes.
            key = tuple((name, tensor.shape[1:]) for name, tensor in feed.items()) if self._batched else index
            groups.setdefault(key, []).append((index, feed))
        for group in groups.values():
            self._answer(group, responses)
        return responses

    def _feed(self, request: "pb_utils.InferenceRequest") -> dict[str, np.ndarray]:
        tensors = ((name, pb_utils.get_input_tensor_by_name(request, name)) for name in self._inputs)
        return {name: tensor.as_numpy() for name, tensor in tensors if tensor is not None}

    def _answer(self, group: list[tuple[int, dict[str, np.ndarray]]], responses: list) -> None:
        feeds = [feed for _, feed in group]
        joined = feeds[0] if len(group) == 1 else {name: np.concatenate([f[name] for f in feeds]) for name in feeds[0]}
        try:
            outputs = self._session.run(self._outputs, joined)
        # Whatever the run raises is the answer to its requests; it must not end the stub process.
        except Exception as error:  # noqa: BLE001
            if len(group) == 1:
                responses[group[0][0]] = _error(str(error), pb_utils.TritonError.INTERNAL)
            else:
                # A bad request must not fail those that happened to share its batch.
                for member in group:
                    self._answer([member], responses)
            return
        start = 0
        for index, feed in group:
            rows = next(iter(feed.values())).shape[0] if len(group) > 1 else None
            part = slice(start, start + rows) if rows is not None else slice(None)
            start += rows or 0
            tensors = [
                pb_utils.Tensor(name, np.ascontiguousarray(output[part] if output.ndim else output))
                for name, output in zip(self._outputs, outputs, strict=True)
            ]
            responses[index] = pb_utils.InferenceResponse(output_tensors=tensors)


def _error(message: str, code: int) -> "pb_utils.InferenceResponse":
    return pb_utils.InferenceResponse(error=pb_utils.TritonError(message, code))
