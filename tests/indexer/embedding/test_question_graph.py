"""indexer.embedding.question_graph, run by onnxruntime before and after"""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import helper, numpy_helper
from onnxruntime.quantization.matmul_nbits_quantizer import (
    DefaultWeightOnlyQuantConfig,
    MatMulNBitsQuantizer,
)

from indexer.embedding.question_graph import add_in_products, join_products

FLOAT = onnx.TensorProto.FLOAT
INPUT, HIDDEN = 8, 6


def model(biased: dict[str, bool]) -> onnx.ModelProto:
    """Three tables on one input, of which those named `biased` have a bias; their sum times one more table.

    The second is both added to and put out as it is.
    """
    random = np.random.default_rng(1)
    nodes, constants = [], []

    def table(name: str, *shape: int) -> str:
        values = random.normal(size=shape).astype(np.float32)
        constants.append(numpy_helper.from_array(values, name))
        return name

    for name, has_bias in biased.items():
        product = f"{name}_product" if has_bias else name
        nodes.append(
            helper.make_node("MatMul", ["x", table(f"{name}_w", INPUT, HIDDEN)], [product])
        )
        if has_bias:  # on either side of the sum
            bias = table(f"{name}_b", HIDDEN)
            sides = [product, bias] if name == "one" else [bias, product]
            nodes.append(helper.make_node("Add", sides, [name]))
    nodes.append(helper.make_node("Sum", list(biased), ["all"]))
    nodes.append(helper.make_node("MatMul", ["all", table("last_w", HIDDEN, 3)], ["last_product"]))
    nodes.append(helper.make_node("Add", ["last_product", table("last_b", 3)], ["y"]))
    graph = helper.make_graph(
        nodes,
        "test",
        [helper.make_tensor_value_info("x", FLOAT, [None, INPUT])],
        [
            helper.make_tensor_value_info(name, FLOAT, [None, width])
            for name, width in (("y", 3), ("two", HIDDEN))
        ],
        constants,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(made)
    return made


def run(made: onnx.ModelProto, rows: NDArray[np.float32]) -> list[Any]:
    onnx.checker.check_model(made)
    session = onnxruntime.InferenceSession(made.SerializeToString())
    return list(session.run(None, {"x": rows}))


def count(made: onnx.ModelProto, kind: str) -> int:
    return sum(node.op_type == kind for node in made.graph.node)


ROWS = np.random.default_rng(2).normal(size=(5, INPUT)).astype(np.float32)


@pytest.mark.parametrize(("three_has_bias", "products"), [(True, 2), (False, 3)])
def test_tables_of_one_input_with_a_bias_become_one_and_nothing_else_changes(
    three_has_bias: bool, products: int
) -> None:
    made = model({"one": True, "two": True, "three": three_has_bias})
    before = run(made, ROWS)
    join_products(made)
    assert count(made, "MatMul") == products
    for old, new in zip(before, run(made, ROWS), strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-5, atol=1e-5)
    assert {tensor.name for tensor in made.graph.initializer}.isdisjoint({"one_w", "three_b"})


def test_where_no_two_share_an_input_nothing_changes() -> None:
    made = model({"two": True})
    before = made.SerializeToString()
    join_products(made)
    assert made.SerializeToString() == before


def test_products_with_weights_of_8_bits_add_their_biases() -> None:
    made = model({"one": True, "two": True, "three": False})
    config = DefaultWeightOnlyQuantConfig(
        block_size=16, is_symmetric=True, accuracy_level=4, bits=8
    )
    quantizer = MatMulNBitsQuantizer(made, algo_config=config)
    quantizer.process()
    quantised = quantizer.model.model
    before = run(quantised, ROWS)
    assert count(quantised, "Add") == 3
    add_in_products(quantised)
    assert count(quantised, "Add") == 0
    for old, new in zip(before, run(quantised, ROWS), strict=True):
        np.testing.assert_allclose(new, old, rtol=1e-5, atol=1e-5)
