"""What the indexer's tests share: the real model, loaded once."""

from __future__ import annotations

import pytest

from indexer.embedding.export import EmbeddingModel
from indexer.passages.tokens import TokenCounter


@pytest.fixture(scope="session")
def model() -> EmbeddingModel:
    """The default model."""
    return EmbeddingModel()


@pytest.fixture(scope="session")
def counter(model: EmbeddingModel) -> TokenCounter:
    """The default model's tokenizer as a measure."""
    return model.counter
