"""BM25F: how much a passage says about a term, from its frequencies by field.

Robertson, Zaragoza and Taylor, "Simple BM25 extension to multiple weighted fields" (CIKM 2004), with a length
normalisation of each field's own (Zaragoza and others, TREC 2004). The fields' frequencies are weighted and
added *before* the saturation, so that a word in title and text is not counted as two words:

    tf(t, d) = sum over fields f of  w_f * tf_f(t, d) / (1 - b_f + b_f * len_f(d) / avglen_f)
    score(q, d) = sum over terms t of  idf(t) * tf(t, d) / (k1 + tf(t, d))
    idf(t) = ln(1 + (N - n(t) + 1/2) / (n(t) + 1/2))

A question's score is at most the sum of its terms' idf, whatever the other candidates are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FIELDS = ("title", "aliases", "heading", "text")


@dataclass(frozen=True, slots=True)
class BM25FParameters:
    """`weights` and `b` in the order of `FIELDS`: weights above 0, b from 0 to 1. `k1` above 0."""

    k1: float = 1.2
    weights: tuple[float, float, float, float] = (1.0, 1.0, 3.0, 1.0)
    b: tuple[float, float, float, float] = (0.3, 0.3, 0.3, 0.75)


def inverse_document_frequency(
    passage_count: int, document_frequency: NDArray[np.int64]
) -> NDArray[np.float32]:
    """idf of terms that stand in `document_frequency` of `passage_count` passages. Above 0."""
    n = document_frequency.astype(np.float64)
    return np.log1p((passage_count - n + 0.5) / (n + 0.5)).astype(np.float32)


def impacts(
    frequencies: NDArray[np.uint16],
    lengths: NDArray[np.uint32],
    passages: NDArray[np.int32],
    parameters: BM25FParameters,
) -> NDArray[np.float32]:
    """The saturated frequency of each posting, 0 to 1.

    `frequencies` is (postings, fields); `lengths` (passages, fields), in terms; `passages` gives each
    posting's row in `lengths`. A field that is empty everywhere counts nothing.
    """
    total = np.zeros(len(passages), dtype=np.float64)
    for field, (weight, b) in enumerate(zip(parameters.weights, parameters.b, strict=True)):
        average = float(lengths[:, field].mean()) if len(lengths) else 0.0
        if average == 0.0:
            continue
        norm = 1.0 - b + b * lengths[:, field] / average
        norm[norm == 0.0] = 1.0  # where b is 1, that of an absent field, whose frequency is 0
        total += weight * frequencies[:, field] / norm[passages]
    return (total / (parameters.k1 + total)).astype(np.float32)
