"""An optional cross-encoder that orders the first results anew.

A cross-encoder reads question and text together, so it sees what two vectors cannot, and it reads anew for every text.
Any cross-encoder of sentence-transformers with one output will do, by name or path. It and torch are loaded only when
one is named, and come with the extra that building needs.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from kb.reporting.suppressed_output import suppressed_output
from kb.schema.errors import ModelError
from kb.schema.extras import install

RERANK_DEPTH = 30
"""Number of results that are ordered anew."""


class Reranker:
    """A loaded cross-encoder, on the CPU. Safe to share between threads, which take turns."""

    def __init__(self, name: str) -> None:
        """Load a model by name or path. Raises ModelError."""
        self.name = name
        with suppressed_output():
            try:
                from sentence_transformers import CrossEncoder  # noqa: PLC0415  (takes seconds)
            except ImportError as error:
                raise ModelError(
                    f"A reranker needs sentence-transformers, which cannot be imported ({error}). {install('indexing')}"
                ) from error
            try:
                self._model = CrossEncoder(name, device="cpu", trust_remote_code=False)
            except Exception as error:
                raise ModelError(
                    f"The reranker {name!r} cannot be loaded ({type(error).__name__}). Name a folder that holds a "
                    "sentence-transformers CrossEncoder, or a model of the hub where that can be reached."
                ) from error
        outputs = self._model.num_labels
        if outputs != 1:
            raise ModelError(
                f"The reranker {name!r} has {outputs} outputs where one is wanted: how well a text answers. "
                "Name a model that was trained to rank."
            )
        self._lock = threading.Lock()  # its tokenizer is not safe to share

    def scores(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """How well each text answers, (len(texts),), higher is better; texts beyond its window are cut."""
        if not texts:
            return np.zeros(0, dtype=np.float32)
        with self._lock:
            found = self._model.predict(
                [(question, text) for text in texts], show_progress_bar=False
            )
        return np.asarray(found, dtype=np.float32)

    def reordered(
        self, question: str, order: NDArray[np.int64], texts: Sequence[str]
    ) -> NDArray[np.int64]:
        """`order` with its first len(texts) candidates, whose texts these are, best first; ties keep their order."""
        best = np.argsort(-self.scores(question, texts), kind="stable")
        return np.concatenate((order[: len(texts)][best], order[len(texts) :]))
