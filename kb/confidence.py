"""Given the best result's signals, whether it can be trusted to answer.

Only absolute signals count: the cosine of the question with the passage and with title and heading, and the share of
the question's words (by idf) that passage, heading and title hold. A score that was normalised over the candidates
would call the best of a bad lot good.
"""

from __future__ import annotations

from kb.results import Answered

CONFIDENT = 0.55
LIKELY = 0.40


def evidence(passage_cosine: float, heading_cosine: float, coverage: float) -> float:
    """0 (nothing in common) to about 1. `coverage` is the idf share of the question's matched terms, 0 to 1."""
    meaning = max(passage_cosine, heading_cosine)
    return 0.8 * max(meaning, 0.0) + 0.2 * coverage


def answered(strength: float) -> Answered:
    """The word for an evidence."""
    if strength >= CONFIDENT:
        return "confident"
    return "likely" if strength >= LIKELY else "none"
