"""An index's own encoder, which embeds texts without torch."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from indexer.embedding.batches import BATCH_TOKENS
from indexer.passages.tokens import TokenCounter
from kb.retrieval.encoder import FOR_PASSAGES, Encoder, EncoderSettings
from kb.storage.manifest import ModelInfo

VECTOR_RUNTIMES = ("onnx", "torch")
"""The names under which vectors may be kept; new ones are under the first, whatever runtime or device makes them.

In float32 they agree to some 1e-6, and a device further off than 1e-3 embeds nothing
(`indexer.embedding.device_choice`): what may stand in one index may stand under one name. What differs by more, the
precision, is in the key.
"""


def cache_key(model: ModelInfo, runtime: str) -> str:
    """Under what the vectors of a model are kept by the name of a runtime."""
    return f"{model.sha256}/{model.precision}/{runtime}"


class IndexEncoder:
    """A generation's encoder, by its folder; loaded when the first text is embedded.

    Each lane is one thread on one core, with a batch of its own: threads that share a batch wait for each other at
    every layer, and longer where the machine has other work too.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._loading = Lock()
        self._encoder: Encoder | None = None
        self.lanes = len(os.sched_getaffinity(0))
        self.batch_tokens = BATCH_TOKENS

    def __reduce__(self) -> tuple[type[IndexEncoder], tuple[Path]]:
        """It travels to another process as its folder."""
        return IndexEncoder, (self._folder,)

    def __call__(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit vectors, float32 (len(texts), dimensions)."""
        with self._loading:
            if self._encoder is None:
                self._encoder = Encoder(self._folder, FOR_PASSAGES)
        return self._encoder.encode_passages(texts)

    @staticmethod
    def counter_of(folder: Path) -> TokenCounter:
        """The measure by which the passages of the encoder in `folder` were cut."""
        settings = EncoderSettings.load(folder / "encoder.json")
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        prompt = tokenizer.encode(settings.passage_prompt, add_special_tokens=False)
        return TokenCounter(tokenizer, settings.max_tokens - len(prompt.ids))
