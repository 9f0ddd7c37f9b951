"""What the indexer's tests share: the real model, loaded once."""

from __future__ import annotations

import pytest

from indexer.model import EmbeddingModel
from indexer.tokens import TokenCounter


@pytest.fixture(scope="session")
def model() -> EmbeddingModel:
    """The default model."""
    return EmbeddingModel()


@pytest.fixture(scope="session")
def counter(model: EmbeddingModel) -> TokenCounter:
    """The default model's tokenizer as a measure."""
    return model.counter
