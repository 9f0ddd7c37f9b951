"""Given a model's name, what embeds many texts in bfloat16: half the time, at a cosine of some 0.998 to float32.

By torch, whose products use the processor's own (AVX-512 BF16, AMX). Where it has none this is slow, and right.
"""

from __future__ import annotations

import os
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kb.encoder import Tokens

if TYPE_CHECKING:
    import torch


class HalfEncoder:
    """A sentence-transformers model, loaded when the first text is embedded; what it is to its texts, `Embed` says."""

    def __init__(self, model_name: str, folder: Path) -> None:
        """`folder` is the encoder's that was exported from the model."""
        self._model_name = model_name
        self._tokens = Tokens(folder)
        self._loading = Lock()
        self._module: torch.nn.Module | None = None
        self.lanes = len(os.sched_getaffinity(0))

    def __call__(self, texts: list[str]) -> NDArray[np.float32]:
        """Unit vectors, float32 (len(texts), dimensions). They differ by some 0.003 with the batch."""
        import torch  # noqa: PLC0415  (takes seconds)

        module = self._loaded()
        torch.set_num_threads(1)  # of this thread: each lane has a core
        batch = self._tokens.batch([self._tokens.settings.passage_prompt + text for text in texts])
        with torch.inference_mode():
            vectors = module(**{name: torch.from_numpy(rows) for name, rows in batch.items()})
        return np.asarray(vectors.numpy(), dtype=np.float32)

    def _loaded(self) -> torch.nn.Module:
        from indexer.model import EmbeddingModel  # noqa: PLC0415  (as above)

        with self._loading:
            if self._module is None:
                self._module = EmbeddingModel(self._model_name).module().bfloat16()
            return self._module
