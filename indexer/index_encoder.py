"""Given an index, what embeds a few texts as its vectors were made: its own encoder, without torch."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from indexer.tokens import TokenCounter
from kb.encoder import Encoder, EncoderSettings
from kb.manifest import ModelInfo

RUNTIMES = ("torch", "onnx")
"""What may have made a vector; in float32 they agree to some 1e-7."""


def cache_key(model: ModelInfo, runtime: str) -> str:
    """Under what the vectors of a model, made by a runtime, are kept."""
    return f"{model.sha256}/{model.precision}/{runtime}"


class IndexEncoder:
    """A generation's encoder, by its folder, for a few texts: quick to load, and a text at a time on each core."""

    runtime = "onnx"

    def __init__(self, folder: Path) -> None:
        # A text to each core: several cores at one text wait for each other most of the time.
        self._encoder = Encoder(folder, threads=1)

    def embed(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit vectors, float32 (len(texts), dimensions)."""
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            return np.array(list(pool.map(self._encoder.encode_passage, texts)), dtype=np.float32)

    @staticmethod
    def counter_of(folder: Path) -> TokenCounter:
        """The measure by which the passages of the encoder in `folder` were cut."""
        settings = EncoderSettings.load(folder / "encoder.json")
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        prompt = tokenizer.encode(settings.passage_prompt, add_special_tokens=False)
        return TokenCounter(tokenizer, settings.max_tokens - len(prompt.ids))
