"""Tiny models, written into a repository that both backends serve."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.onnx_ml_pb2 import NodeProto, ValueInfoProto

_TYPES = {"FP32": TensorProto.FLOAT, "INT64": TensorProto.INT64}
TABLE = np.arange(20, dtype=np.float32).reshape(10, 2)


@dataclass(frozen=True)
class Port:
    """An input or output: its name, Triton type and shape without the batch axis."""

    name: str
    kind: str
    shape: tuple[int, ...]

    def info(self, *, batched: bool) -> ValueInfoProto:
        axes: list[str | int] = ["batch"] if batched else []
        axes += [f"{self.name}_{axis}" if length < 0 else length for axis, length in enumerate(self.shape)]
        info: ValueInfoProto = helper.make_tensor_value_info(self.name, _TYPES[self.kind], axes)
        return info

    def config(self) -> str:
        return f'{{ name: "{self.name}" data_type: TYPE_{self.kind} dims: {list(self.shape)} }}'


@dataclass(frozen=True)
class Model:
    """A graph and what its config.pbtxt says beside its tensors."""

    name: str
    nodes: tuple[NodeProto, ...]
    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    max_batch_size: int = 8
    constants: tuple[onnx.TensorProto, ...] = ()
    settings: str = "dynamic_batching { default_queue_policy { allow_timeout_override: true } }"

    def write(self, repository: Path, *versions: int) -> None:
        """Writes the model, as version 1 where none is named."""
        batched = self.max_batch_size > 0
        graph = helper.make_graph(
            self.nodes,
            self.name,
            [port.info(batched=batched) for port in self.inputs],
            [port.info(batched=batched) for port in self.outputs],
            self.constants,
        )
        proto = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        for version in versions or (1,):
            folder = repository / self.name / str(version)
            folder.mkdir(parents=True)
            onnx.save(proto, folder / "model.onnx")
        (repository / self.name / "config.pbtxt").write_text(self.config())

    def config(self) -> str:
        return "\n".join(
            [
                f'name: "{self.name}"',
                'backend: "onnxruntime"',
                f"max_batch_size: {self.max_batch_size}",
                *(f"input {port.config()}" for port in self.inputs),
                *(f"output {port.config()}" for port in self.outputs),
                self.settings,
            ]
        )


def double(name: str = "double", **changes: Any) -> Model:
    """y = 2x, for any length."""
    nodes = (helper.make_node("Add", ["x", "x"], ["y"]),)
    model = Model(name, nodes, (Port("x", "FP32", (-1,)),), (Port("y", "FP32", (-1,)),))
    return replace(model, **changes)


def lookup(name: str = "lookup") -> Model:
    """Rows of TABLE by index, and their sum; an index of 10 or more passes admission and fails the run."""
    nodes = (
        helper.make_node("Gather", ["table", "index"], ["row"]),
        helper.make_node("ReduceSum", ["row", "axis"], ["sum"], keepdims=0),
    )
    constants = (numpy_helper.from_array(TABLE, "table"), numpy_helper.from_array(np.array([2], np.int64), "axis"))
    outputs = (Port("row", "FP32", (-1, 2)), Port("sum", "FP32", (-1,)))
    return Model(name, nodes, (Port("index", "INT64", (-1,)),), outputs, constants=constants)


def spin(name: str = "spin", settings: str = "") -> Model:
    """y = x after max(x) rounds of multiplying matrices, about 0.2 ms each: slow on demand, one request at a time."""
    size = 200
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go_in"], ["go_out"]),
            helper.make_node("MatMul", ["m_in", "m_in"], ["m_squared"]),
            helper.make_node("Tanh", ["m_squared"], ["m_out"]),
        ],
        "body",
        [
            helper.make_tensor_value_info("round", TensorProto.INT64, []),
            helper.make_tensor_value_info("go_in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("m_in", TensorProto.FLOAT, [size, size]),
        ],
        [
            helper.make_tensor_value_info("go_out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("m_out", TensorProto.FLOAT, [size, size]),
        ],
    )
    nodes = (
        helper.make_node("ReduceMax", ["x"], ["rounds"], keepdims=0),
        helper.make_node("Loop", ["rounds", "", "start"], ["end"], body=body),
        helper.make_node("ReduceMax", ["end"], ["highest"], keepdims=0),
        # Adds nothing to x; only there so that the loop is not optimised away.
        helper.make_node("Mul", ["highest", "nothing"], ["zero"]),
        helper.make_node("Cast", ["zero"], ["zero_int"], to=TensorProto.INT64),
        helper.make_node("Add", ["x", "zero_int"], ["y"]),
    )
    constants = (
        numpy_helper.from_array(np.full((size, size), 0.01, np.float32), "start"),
        numpy_helper.from_array(np.array(0, np.float32), "nothing"),
    )
    ports = (Port("x", "INT64", (1,)),), (Port("y", "INT64", (1,)),)
    return Model(name, nodes, *ports, max_batch_size=8, constants=constants, settings=settings)
