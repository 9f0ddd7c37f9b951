"""indexer.embedding.export"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from indexer.embedding.export import DEFAULT_MODEL, EmbeddingModel, model_folder
from indexer.passages.tokens import TokenCounter
from kb.schema.errors import ModelError


def test_the_default_model_is_found_offline_under_either_name(
    model: EmbeddingModel, counter: TokenCounter
) -> None:
    folder = Path(model_folder(DEFAULT_MODEL))
    assert folder.is_dir()
    assert model_folder(f"sentence-transformers/{DEFAULT_MODEL}") == str(folder)
    assert model.info.name == DEFAULT_MODEL
    assert (model.info.dimensions, model.info.max_tokens, model.info.precision) == (
        384,
        256,
        "fp32",
    )
    assert len(model.info.sha256) == 64
    assert (model.counter.max_tokens, model.counter.count("sore gums")) == (
        counter.max_tokens,
        counter.count("sore gums"),
    ), "what the tests of other rooms go by"


def test_a_folder_of_that_name_comes_before_the_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / DEFAULT_MODEL).mkdir()
    monkeypatch.chdir(tmp_path)
    assert model_folder(DEFAULT_MODEL) == DEFAULT_MODEL


def test_the_same_model_has_the_same_hash_by_name_and_by_path(model: EmbeddingModel) -> None:
    again = EmbeddingModel(model_folder(DEFAULT_MODEL))
    assert again.info.sha256 == model.info.sha256
    assert again.info.name != model.info.name


def test_an_unknown_model_is_named_in_the_error() -> None:
    with pytest.raises(ModelError) as caught:
        EmbeddingModel("no-such/model-anywhere")
    assert "'no-such/model-anywhere'" in str(caught.value)
    assert "folder" in str(caught.value)


@pytest.mark.parametrize("name", ["", "config.json"])
def test_a_folder_without_a_model_is_named_in_the_error(tmp_path: Path, name: str) -> None:
    if name:
        (tmp_path / name).write_text("{}")
    with pytest.raises(ModelError) as caught:
        EmbeddingModel(str(tmp_path))
    assert str(tmp_path) in str(caught.value)


def test_vectors_are_unit_and_a_batch_changes_them_by_rounding_alone(model: EmbeddingModel) -> None:
    texts = ["leg", "why do my legs jerk when I fall asleep", "sore gums " * 40]
    together = model.embed(texts)
    assert together.shape == (3, 384)
    assert together.dtype == np.float32
    assert np.linalg.norm(together, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    for text, vector in zip(texts, together, strict=True):
        assert model.embed([text])[0] == pytest.approx(vector, abs=1e-5)
