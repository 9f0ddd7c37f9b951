"""indexer.question_model, with a small model of two products"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from indexer.question_model import PROBES, quantise
from kb.encoder import FOR_PASSAGES, FOR_QUESTIONS, Encoder

WIDTH = 128
VOCABULARY = 30_522


def two_products(folder: Path, outlier: float) -> None:
    """Each token's row times a matrix, one column of it made larger, times another; the mean, of unit length."""
    random = np.random.default_rng(4)
    large = np.ones(WIDTH, dtype=np.float32)
    large[7] = outlier
    weights = {
        "rows": random.normal(size=(VOCABULARY, WIDTH)).astype(np.float32),
        "first": random.normal(size=(WIDTH, WIDTH)).astype(np.float32),
        "second": random.normal(size=(WIDTH, WIDTH)).astype(np.float32),
        "large": large,
        "axis": np.array([1], dtype=np.int64),
    }
    nodes = [
        helper.make_node("Gather", ["rows", "input_ids"], ["embedded"]),
        helper.make_node("MatMul", ["embedded", "first"], ["once"], name="even"),
        helper.make_node("Mul", ["once", "large"], ["uneven"]),
        helper.make_node("MatMul", ["uneven", "second"], ["twice"], name="after the outlier"),
        helper.make_node("ReduceMean", ["twice", "axis"], ["mean"], keepdims=0),
        helper.make_node("LpNormalization", ["mean"], ["unit_vector"], axis=-1, p=2),
    ]
    graph = helper.make_graph(
        nodes,
        "two products",
        [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["texts", "tokens"])
            for name in ("input_ids", "attention_mask")
        ],
        [helper.make_tensor_value_info("unit_vector", TensorProto.FLOAT, ["texts", WIDTH])],
        [numpy_helper.from_array(values, name) for name, values in weights.items()],
    )
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=10), folder / FOR_PASSAGES)


def kinds(path: Path) -> list[str]:
    """Of the products, in order: whether with a scale for each 128 numbers, or with one."""
    named = {"MatMulNBits": "blocks", "MatMulInteger": "one scale", "MatMul": "float32"}
    return [named[node.op_type] for node in onnx.load(path).graph.node if node.op_type in named]


@pytest.mark.parametrize(
    ("outlier", "expected"),
    [(1.0, ["one scale", "one scale"]), (60.0, ["one scale", "blocks"])],
)
def test_only_where_one_number_spends_the_scale_each_128_have_their_own(
    outlier: float, expected: list[str], index_path: Path, tmp_path: Path
) -> None:
    generation = index_path / "generations" / (index_path / "CURRENT").read_text().strip()
    for name in ("tokenizer.json", "encoder.json"):
        shutil.copy(generation / "encoder" / name, tmp_path)
    two_products(tmp_path, outlier)
    quantise(tmp_path / FOR_PASSAGES, tmp_path / FOR_QUESTIONS)
    assert kinds(tmp_path / FOR_QUESTIONS) == expected
    exact, rounded = Encoder(tmp_path, FOR_PASSAGES), Encoder(tmp_path, FOR_QUESTIONS)
    for text in PROBES:
        assert exact.encode_question(text) @ rounded.encode_question(text) > 0.99


def test_the_shipped_models_questions_are_near_to_float32(index_path: Path) -> None:
    generation = index_path / "generations" / (index_path / "CURRENT").read_text().strip()
    folder = generation / "encoder"
    products = kinds(folder / FOR_QUESTIONS)  # those of attention have no weights
    assert 0 < products.count("blocks") < products.count("one scale")
    exact, rounded = Encoder(folder, FOR_PASSAGES), Encoder(folder, FOR_QUESTIONS)
    for text in ("sore gums", "What helps against cramps at night, and is it safe for children?"):
        assert exact.encode_question(text) @ rounded.encode_question(text) > 0.995
