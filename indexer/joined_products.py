"""Given a model as ONNX, the same with fewer and wider products.

What is multiplied by several tables of weights, as a transformer's states are by those of queries, keys and values, is
multiplied once by all of them side by side, and what comes out is split. Every number is what it was. A question of a
dozen words keeps two cores busy for some 20 µs with one product, and each costs as much as a few again in waiting.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper


@dataclass(frozen=True, slots=True)
class _Linear:
    """A product with constant weights, (inputs, outputs), and the sum with a constant bias that follows it."""

    product: Any
    sum: Any
    weights: str
    bias: str


def join_products(model: onnx.ModelProto) -> None:
    """Change the model in place."""
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    by_input = defaultdict(list)
    for linear in _linears(graph, constants):
        by_input[linear.product.input[0]].append(linear)
    replaced: dict[str, list[Any]] = {}  # by the name of what the first product gave
    for linears in by_input.values():
        if len(linears) > 1:
            for linear in linears:
                replaced[linear.product.output[0]] = replaced[linear.sum.output[0]] = []
            replaced[linears[0].product.output[0]] = _joined(graph, constants, linears)
    nodes = [new for node in graph.node for new in replaced.get(node.output[0], [node])]
    del graph.node[:]
    graph.node.extend(nodes)
    used = {name for node in nodes for name in node.input}
    kept = [tensor for tensor in graph.initializer if tensor.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _linears(graph: Any, constants: dict[str, Any]) -> list[_Linear]:
    users = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            users[name].append(node)
    given = {output.name for output in graph.output}
    found = []
    for node in graph.node:
        if node.op_type != "MatMul" or len(getattr(constants.get(node.input[1]), "dims", ())) != 2:
            continue
        product = node.output[0]
        if len(users[product]) != 1 or users[product][0].op_type != "Add" or product in given:
            continue
        added = users[product][0]
        (bias,) = (name for name in added.input if name != product)
        if list(getattr(constants.get(bias), "dims", ())) == [constants[node.input[1]].dims[1]]:
            found.append(_Linear(node, added, node.input[1], bias))
    return found


def _joined(graph: Any, constants: dict[str, Any], linears: list[_Linear]) -> list[Any]:
    """The nodes in place of these, which have one input; their constants are added to the graph."""
    weights = [numpy_helper.to_array(constants[linear.weights]) for linear in linears]
    biases = [numpy_helper.to_array(constants[linear.bias]) for linear in linears]
    outputs = [linear.sum.output[0] for linear in linears]
    name = f"joined_{outputs[0]}"
    tables = {
        "weights": np.concatenate(weights, axis=1),
        "bias": np.concatenate(biases),
        "widths": np.array([table.shape[1] for table in weights], dtype=np.int64),
    }
    graph.initializer.extend(
        numpy_helper.from_array(table, f"{name}_{part}") for part, table in tables.items()
    )
    source = linears[0].product.input[0]
    return [
        helper.make_node("MatMul", [source, f"{name}_weights"], [f"{name}_product"]),
        helper.make_node("Add", [f"{name}_product", f"{name}_bias"], [f"{name}_sum"]),
        helper.make_node("Split", [f"{name}_sum", f"{name}_widths"], outputs, axis=-1),
    ]
