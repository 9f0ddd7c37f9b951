"""What the indexer's tests share: the real model, and its tokenizer by itself, which is loaded without torch."""

from __future__ import annotations

from pathlib import Path

import pytest
from tokenizers import Tokenizer

from indexer.embedding.export import EmbeddingModel
from indexer.embedding.model_folder import DEFAULT_MODEL, model_folder
from indexer.passages.tokens import TokenCounter

WINDOW = 256
"""Of the default model, in tokens, special ones included."""


@pytest.fixture(scope="session")
def model() -> EmbeddingModel:
    """The default model."""
    return EmbeddingModel()


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    """The default model's."""
    found = Tokenizer.from_file(str(Path(model_folder(DEFAULT_MODEL), "tokenizer.json")))
    found.no_padding()
    found.no_truncation()
    return found


@pytest.fixture(scope="session")
def counter(tokenizer: Tokenizer) -> TokenCounter:
    """The default model's tokenizer as a measure."""
    return TokenCounter(tokenizer, WINDOW)
