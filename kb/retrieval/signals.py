"""The signals of a candidate: their names, and how the embedded index computes them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kb.compute.kernels import AskedWords
from kb.compute.spare_core import SpareCore
from kb.retrieval.keyword_scores import KeywordScores
from kb.retrieval.names import NameIndex
from kb.retrieval.vectors import VectorIndex
from kb.retrieval.wording import WordingIndex

SIGNALS = ("keyword", "dense", "sentence", "name", "focus", "wording")
"""The order of the signals wherever they are rows of one array.

- `keyword`: BM25F divided by the question's bound, 0 to 1.
- `dense`, `sentence`, `name`: the cosine of the question with the passage, with its nearest sentence, and with the
  nearest name (title or alias) of its article.
- `wording`: how far one sentence has the wording of the question, 0 to 1 (`kb.retrieval.wording`).
- `focus`: the share of question and name that are the same words, 0 to 1 (`kb.retrieval.names`).
"""


class SignalTable(NamedTuple):
    """The signals of n candidates, float32 (len(SIGNALS), n), and what came nearest, int64 (n,) each.

    `nearest_name` counts the article's names, 0 being the title; `nearest_sentence` the passage's sentences.
    """

    signals: NDArray[np.float32]
    nearest_name: NDArray[np.int64]
    nearest_sentence: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class SignalSource:
    """The arrays of one generation that signals are read from. Safe to share between threads."""

    vectors: VectorIndex
    names: NameIndex
    wording: WordingIndex
    core: SpareCore

    def table(
        self,
        keyword: KeywordScores,
        held: NDArray[np.float32],
        asked: AskedWords | None,
        vector: NDArray[np.float32],
        rows: NDArray[np.int64],
        articles: NDArray[np.int64],
    ) -> SignalTable:
        """The signals of the passages `rows`, which are of `articles`. Their keyword scores must be complete.

        `held` is what `NameIndex.held` gives for `keyword`, and `asked` what `asked_words` does.
        """
        others = self.core.submit(  # sentences take as long as all of these
            lambda: (
                self.vectors.passage_cosines(vector, rows),
                self.vectors.best_names(vector, articles),
                self.names.shares(keyword, held, articles),
                self.wording.scores(asked, rows),
            )
        )
        sentence, nearest_sentence = self.vectors.best_sentences(vector, rows)
        dense, (name, nearest_name), focus, wording = others()
        columns = {
            "keyword": keyword.scores[rows],
            "dense": dense,
            "sentence": sentence,
            "name": name,
            "focus": focus,
            "wording": wording,
        }
        signals = np.stack([columns[signal] for signal in SIGNALS])
        return SignalTable(signals, nearest_name, nearest_sentence)
