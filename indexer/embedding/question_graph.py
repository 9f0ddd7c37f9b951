"""An ONNX model rewritten with fewer operators, for one question at a time.

A question of a dozen words keeps two cores busy for some 20 µs with one product, and each step costs as much as a few
again in waiting. So what is multiplied by several tables of weights, as a transformer's states are by those of queries,
keys and values, is multiplied once by all of them side by side; nothing is masked, since one text alone is never
padded; and what a product is followed by, the sum with a bias, is part of it where it has weights of 8 bits.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from indexer.embedding.joint_attention import ATTENTION_OPERATOR

_MASKS = 3
"""From this input on an attention is told of masks alone, since it is given none of the others."""
_BIAS = 5
"""Which input of a product with weights of 8 bits is the bias."""
_QUANTISED = "MatMulNBits"


@dataclass(frozen=True, slots=True)
class _Linear:
    """A product with constant weights, (inputs, outputs), and the sum with a constant bias that follows it."""

    product: Any
    sum: Any
    weights: str
    bias: str


def join_products(model: onnx.ModelProto) -> None:
    """Multiply once by what one input is multiplied by. Every number is what it was."""
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
    _keep(graph, [new for node in graph.node for new in replaced.get(node.output[0], [node])])


def drop_masks(model: onnx.ModelProto) -> None:
    """Have every attention look at all tokens, and take and give its numbers as products do, not parted into heads.

    Right where a mask keeps nothing but padding out; where it is causal, say, the vectors are others.
    """
    graph = model.graph
    made_by = {name: node for node in graph.node for name in node.output}
    steps = {node.output[0] for node in graph.node if node.op_type == ATTENTION_OPERATOR}
    whole = {}  # what was parted and at once put together again: what it was before, by its name now
    for node in graph.node:
        parted = made_by.get(node.input[0]) if node.op_type == "Reshape" else None
        if parted is not None and parted.op_type == "Reshape":
            whole[node.output[0]] = parted.input[0]
    for node in graph.node:
        if node.op_type == ATTENTION_OPERATOR:
            del node.input[_MASKS:]
        for place, name in enumerate(node.input):
            if name in whole and (node.op_type == ATTENTION_OPERATOR or whole[name] in steps):
                node.input[place] = whole[name]
    _keep(graph, list(graph.node))


def add_in_products(model: onnx.ModelProto) -> None:
    """Have products with weights of 8 bits add their biases themselves."""
    graph = model.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    added = set()
    for product, sum_, bias in _biased(graph, constants, _QUANTISED):
        width = [setting.i for setting in product.attribute if setting.name == "N"]
        if list(constants[bias].dims) == width:
            product.input.extend([""] * (_BIAS - len(product.input)))
            product.input.append(bias)
            product.output[0] = sum_.output[0]
            added.add(sum_.output[0])
    _keep(
        graph,
        [node for node in graph.node if node.op_type != "Add" or node.output[0] not in added],
    )


def _biased(graph: Any, constants: dict[str, Any], kind: str) -> list[tuple[Any, Any, str]]:
    """The products of a kind that only a sum with a constant follows: product, sum, and the constant's name."""
    users = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            users[name].append(node)
    given = {output.name for output in graph.output}
    found = []
    for node in graph.node:
        product = node.output[0]
        if node.op_type != kind or product in given:
            continue
        if [user.op_type for user in users[product]] == ["Add"]:
            (added,) = users[product]
            biases = [name for name in added.input if name in constants]
            found += [(node, added, bias) for bias in biases]
    return found


def _keep(graph: Any, nodes: list[Any]) -> None:
    """Keep these nodes, in order, of which some may lead to nothing, and what they need."""
    wanted = {output.name for output in graph.output}
    kept = []
    for node in reversed(nodes):
        if not wanted.isdisjoint(node.output):
            wanted.update(node.input)
            kept.append(node)
    del graph.node[:]
    graph.node.extend(reversed(kept))
    constants = [tensor for tensor in graph.initializer if tensor.name in wanted]
    del graph.initializer[:]
    graph.initializer.extend(constants)


def _linears(graph: Any, constants: dict[str, Any]) -> list[_Linear]:
    found = []
    for product, sum_, bias in _biased(graph, constants, "MatMul"):
        weights = product.input[1]
        inputs_and_outputs = list(getattr(constants.get(weights), "dims", ()))
        if len(inputs_and_outputs) == 2 and list(constants[bias].dims) == inputs_and_outputs[1:]:
            found.append(_Linear(product, sum_, weights, bias))
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
