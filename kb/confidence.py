"""Given the best result's signals, whether it can be trusted to answer.

Only absolute signals count: the cosine of the question with the passage, and the share of the question's words (by
idf) that passage, heading, title and aliases hold. A score that was normalised over the candidates would call the best
of a bad lot good. The shares and thresholds were fitted, by logistic regression, to the default model's cosines on
questions with and without an answer in four libraries; another model may want others.
"""

from __future__ import annotations

from kb.results import Answered

CONFIDENT = 0.52
LIKELY = 0.39


def evidence(passage_cosine: float, coverage: float) -> float:
    """0 (nothing in common) to 1. `coverage` is the idf share of the question's matched terms, 0 to 1."""
    return 0.9 * max(passage_cosine, 0.0) + 0.1 * coverage


def answered(strength: float) -> Answered:
    """The word for an evidence."""
    if strength >= CONFIDENT:
        return "confident"
    return "likely" if strength >= LIKELY else "none"
