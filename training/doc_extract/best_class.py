"""The last layer of the recogniser, asked for the best class only.

Its 18,710 probabilities a step are 18 MB for a long line, and several such buffers live at once. Here the layer runs a
share of the classes at a time. Of each share come the largest logit m and its softmax q within the share, which is
1 / sum(exp(logit - m)); the softmax of the best class over all shares is then 1 / sum(exp(m - max(m)) / q).
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from onnx import GraphProto, NodeProto, TensorProto, helper, numpy_helper

SHARES = 8


def best_class(graph: GraphProto) -> list[NodeProto]:
    """Takes the last layer, MatMul, Add and Softmax, out of a graph and gives back what answers in its place.

    Returns:
        Nodes that answer `classes`, int32, and `probabilities`, float, each (rows, steps).

    Raises:
        ValueError: The graph ends in something else.
    """
    *_, product, total, identity, softmax = graph.node
    if [node.op_type for node in (product, total, identity, softmax)] != ["MatMul", "Add", "Identity", "Softmax"]:
        raise ValueError(
            "the recogniser does not end in MatMul, Add, Identity, Softmax; is rapidocr the pinned version?"
        )
    features = product.input[0]
    weights, bias = _take(graph, product.input[1]), _take(graph, total.input[1])
    del graph.node[-4:]
    return list(_nodes(graph, features, weights, bias))


def _nodes(
    graph: GraphProto, features: str, weights: NDArray[np.float32], bias: NDArray[np.float32]
) -> Iterator[NodeProto]:
    starts = np.linspace(0, len(bias), SHARES + 1, dtype=np.int64)
    for share in range(SHARES):
        inside = slice(starts[share], starts[share + 1])
        _put(graph, f"weights_{share}", np.ascontiguousarray(weights[:, inside]))
        _put(graph, f"bias_{share}", bias[inside])
        _put(graph, f"first_{share}", starts[share : share + 1].astype(np.int32))
        yield _node("MatMul", [features, f"weights_{share}"], f"product_{share}")
        yield _node("Add", [f"product_{share}", f"bias_{share}"], f"logits_{share}")
        yield _node("ReduceMax", [f"logits_{share}"], f"most_{share}", axes=[2])
        yield _node("ArgMax", [f"logits_{share}"], f"place_{share}", axis=2)
        yield _node("Cast", [f"place_{share}"], f"local_{share}", to=TensorProto.INT32)
        yield _node("Add", [f"local_{share}", f"first_{share}"], f"class_{share}")
        yield _node("Softmax", [f"logits_{share}"], f"softmax_{share}", axis=2)
        yield _node("ReduceMax", [f"softmax_{share}"], f"within_{share}", axes=[2])
    for joined in ("most", "class", "within"):
        yield _node("Concat", [f"{joined}_{share}" for share in range(SHARES)], joined, axis=2)
    yield _node("ReduceMax", ["most"], "maximum", axes=[2])
    yield _node("Sub", ["most", "maximum"], "behind")
    yield _node("Exp", ["behind"], "ratio")
    yield _node("Div", ["ratio", "within"], "shares")
    yield _node("ReduceSum", ["shares"], "sum", axes=[2], keepdims=0)
    yield _node("Reciprocal", ["sum"], "probabilities")
    yield _node("ArgMax", ["most"], "best_share", axis=2)
    yield _node("GatherElements", ["class", "best_share"], "best", axis=2)
    yield _node("Squeeze", ["best"], "classes", axes=[2])


def _node(kind: str, inputs: list[str], output: str, **attributes: object) -> NodeProto:
    return helper.make_node(kind, inputs, [output], **attributes)


def _put(graph: GraphProto, name: str, values: NDArray[np.generic]) -> None:
    graph.initializer.append(numpy_helper.from_array(values, name))


def _take(graph: GraphProto, name: str) -> NDArray[np.float32]:
    (tensor,) = (tensor for tensor in graph.initializer if tensor.name == name)
    values: NDArray[np.float32] = numpy_helper.to_array(tensor)
    graph.initializer.remove(tensor)
    return values
