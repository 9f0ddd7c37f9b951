"""Given an exported encoder, its form for questions: products of 8-bit numbers instead of 32.

Weights have a scale for each column, and what comes in one for all of it (dynamic quantisation, as onnxruntime has
it), which is quickest. Where a few numbers of what comes in are far larger than the rest, they spend most of the scale
(Dettmers and others, LLM.int8(), NeurIPS 2022): there, each 128 numbers have a scale of their own, in weights and in
what comes in. Which products these are is measured.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kb.encoder import Tokens

if TYPE_CHECKING:
    import onnx

PROBES = (
    "Why do my legs jerk when I fall asleep?",
    "knee pain",
    "What are the side effects of lowering blood pressure too quickly with tablets?",
    "is it normal that new dentures hurt",
    "How did the treaty of 1648 change the borders of the empire?",
    "My son is 9 and has had a temperature since Tuesday, he doesn't want to eat and says that his neck is stiff. "
    "Should we wait for the doctor on Monday or go to the hospital now?",
)
"""Texts of different lengths and subjects."""

NOISE = 0.045
"""From how much noise on, in parts of what comes in, each 128 numbers get a scale."""


def quantise(source: Path, target: Path) -> None:
    """Write the model `source`, beside whose file its tokenizer is, with products of 8 bits into `target`."""
    import onnx  # noqa: PLC0415  (only an export needs it)
    from onnxruntime.quantization import (  # noqa: PLC0415
        QuantType,
        matmul_nbits_quantizer,
        quantize_dynamic,
    )

    model = onnx.load(source)
    noise = _noise(model, Tokens(source.parent))
    quiet = [name for name, share in noise.items() if share <= NOISE]
    config = matmul_nbits_quantizer.DefaultWeightOnlyQuantConfig(
        block_size=128, is_symmetric=True, accuracy_level=4, bits=8
    )
    in_blocks = matmul_nbits_quantizer.MatMulNBitsQuantizer(
        onnx.load(source), algo_config=config, nodes_to_exclude=quiet
    )
    in_blocks.process()
    in_blocks.model.save_model_to_file(str(target))
    if quiet:
        quantize_dynamic(
            target,
            target,
            op_types_to_quantize=["MatMul"],
            nodes_to_quantize=quiet,
            per_channel=True,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )


def _noise(model: onnx.ModelProto, tokens: Tokens) -> dict[str, float]:
    """What one scale for all that comes in adds to it, of each product with weights, by the name of its node.

    The standard deviation of rounding to 255 steps of the whole range, in parts of the root mean square.
    """
    import onnxruntime  # noqa: PLC0415  (as above)
    from onnx import TensorProto, helper  # noqa: PLC0415

    weights = {weight.name for weight in model.graph.initializer}
    products = [
        node
        for node in model.graph.node
        if node.op_type == "MatMul" and node.input[1] in weights and node.input[0] not in weights
    ]
    coming_in = list(dict.fromkeys(node.input[0] for node in products))
    model.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in coming_in
    )
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    inputs = {given.name for given in session.get_inputs()}
    measured: dict[str, list[float]] = {name: [] for name in coming_in}
    for text in PROBES:
        feed = {name: rows for name, rows in tokens.batch([text]).items() if name in inputs}
        for name, values in zip(coming_in, session.run(coming_in, feed), strict=True):
            measured[name].append(_share(values))
    return {node.name: float(np.mean(measured[node.input[0]])) for node in products}


def _share(values: NDArray[np.float32]) -> float:
    step = (max(float(values.max()), 0.0) - min(float(values.min()), 0.0)) / 255
    return (
        step / 12**0.5 / max(float(np.sqrt(np.mean(values**2))), float(np.finfo(np.float32).tiny))
    )
