"""Given what came nearest to a question, whether the library answers it.

Only absolute signals count: the cosines of the question with the ten nearest passages, on the average; the cosine with
the nearest sentence of all; and the best BM25F score among the ten, as a share of the question's bound. A score that
was normalised over the candidates would call the best of a bad lot good. Of a message much is somebody's story, which
no passage tells; so as many words as are in a question to the point are enough (`covered`).

Something near is found by chance, and the more passages there are the nearer it comes; as with the largest of N random
numbers, by the logarithm of N. So what counts as unrelated is a line over ln N. It was laid through two libraries, of
237 and of 36,437 passages, so that 95 % of questions about other subjects (a hundred from sport, law, cooking and
software, Cranfield's on aerodynamics, SQuADShifts' on anything) fall below it; what is confident lies so far above it
that of questions whose answers were removed from the larger library hardly three in ten do. docs/ranking.md has the
curve. The figures are those of the default model; another may want others.
"""

from __future__ import annotations

import math

from kb.ranking.fusion import SHORT_QUESTION
from kb.schema.results import Answered

NEAREST = 10
"""So many passages are looked at."""

SURE = 0.12
"""So far above what is unrelated an answer is confident."""


def evidence(nearby: float, sentence: float, words: float) -> float:
    """At most 1. `nearby` and `sentence` are cosines, -1 to 1; `words` is 0 to 1."""
    return 0.6 * nearby + 0.2 * sentence + 0.2 * words


def covered(share: float, terms: int) -> float:
    """What it is worth, 0 to 1, that a passage has such a share of a question of so many distinct terms."""
    return min(share * max(terms, SHORT_QUESTION) / SHORT_QUESTION, 1.0)


def unrelated(passages: int) -> float:
    """The evidence that questions about other subjects reach, at the 95th percentile, in so many passages."""
    return 0.0909 + 0.0316 * math.log(max(passages, 100))


def answered(strength: float, passages: int) -> Answered:
    """The word for an evidence, in a library of so many passages."""
    line = unrelated(passages)
    if strength >= line + SURE:
        return "confident"
    return "likely" if strength >= line else "none"
