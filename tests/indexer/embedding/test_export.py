"""indexer.embedding.export's export, of models of other families: small ones of random weights"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from indexer.embedding.export import DEFAULT_MODEL, EmbeddingModel, model_folder
from indexer.embedding.joint_attention import ATTENTION_OPERATOR
from kb.retrieval.encoder import FOR_PASSAGES, FOR_QUESTIONS, Encoder

TEXTS = ["leg", "why do my legs jerk when I fall asleep", "sore gums and restless legs " * 20]
SHAPE: dict[str, Any] = {
    "vocab_size": 30_527,
    "hidden_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 128,
    "initializer_range": 0.3,
    "pad_token_id": 0,
    "bos_token_id": 101,
    "eos_token_id": 102,
    "cls_token_id": 101,
    "sep_token_id": 102,
}


def save_model(family: str, options: dict[str, Any], folder: Path) -> None:
    # They take seconds to import, which no other test is to wait for.
    import torch
    import transformers
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import (
        Pooling,
        Transformer,
    )

    torch.manual_seed(1)
    config = getattr(transformers, f"{family}Config")(**SHAPE, **options)
    raw = str(folder / "raw")
    transformers.AutoModel.from_config(config).save_pretrained(raw)
    transformers.AutoTokenizer.from_pretrained(model_folder(DEFAULT_MODEL)).save_pretrained(raw)
    transformer = Transformer(raw, max_seq_length=128)
    SentenceTransformer(modules=[transformer, Pooling(SHAPE["hidden_size"])], device="cpu").save(
        str(folder)
    )


def attentions(path: Path) -> list[bool]:
    """Of each attention that is one step, whether it has a mask."""
    nodes = onnx.load(path, load_external_data=False).graph.node
    return [len(node.input) > 3 for node in nodes if node.op_type == ATTENTION_OPERATOR]


@pytest.mark.parametrize(
    ("family", "options", "joint", "masked"),
    [
        pytest.param("Bert", {}, 2, [False, False], id="sees all", marks=pytest.mark.long),
        pytest.param("MPNet", {}, 0, [], id="an attention of its own"),
        pytest.param(
            "ModernBert",
            {"local_attention": 16},
            2,
            [True, True],
            id="sees what is near",
            marks=pytest.mark.long,
        ),
        pytest.param(
            "Qwen3",
            {"num_key_value_heads": 2, "head_dim": 16},
            2,
            [True, True],
            id="sees what comes before, heads share keys",
        ),
    ],
)
def test_a_model_of_any_family_is_exported_as_it_is(
    family: str, options: dict[str, Any], joint: int, masked: list[bool], tmp_path: Path
) -> None:
    save_model(family, options, tmp_path / "model")
    model = EmbeddingModel(str(tmp_path / "model"))
    folder = tmp_path / "encoder"
    model.export(folder)
    own = model.embed(TEXTS)
    np.testing.assert_allclose(Encoder(folder, FOR_PASSAGES).encode_passages(TEXTS), own, atol=1e-5)
    questions = Encoder(folder, FOR_QUESTIONS)
    for text, vector in zip(TEXTS, own, strict=True):
        assert questions.encode_question(text) @ vector > 0.99
    for name in (FOR_PASSAGES, FOR_QUESTIONS):
        assert b"stack_trace" not in (folder / name).read_bytes(), "it says where this is installed"
    assert len(attentions(folder / FOR_PASSAGES)) == joint
    assert attentions(folder / FOR_QUESTIONS) == masked
