"""The evidence that a library answers a question, and the thresholds for it.

Only absolute signals count: the mean cosine with the ten nearest passages, the cosine with the nearest sentence, and
the best BM25F score among the ten as a share of the question's bound. A score normalised over the candidates would call
the best of a bad lot good. A message is mostly a story that no passage tells, so it needs no more words than a question
to the point (`covered`).

The more passages there are, the nearer one comes by chance: as with the largest of N random numbers, by the logarithm
of N. So the threshold of "unrelated" is a line over ln N, laid through two libraries of 237 and 36,437 passages.
95 % of questions about other subjects fall below it: a hundred from sport, law, cooking and software, Cranfield's on
aerodynamics, SQuADShifts' on anything. If many sections are equally near, the first may be the wrong one. So its lead
over the second counts too. docs/evaluating-and-tuning.md has the shares that are right. The figures hold for the
default model.
"""

from __future__ import annotations

import math

from kb.schema.results import Answered

NEAREST_PASSAGES = 10
"""Number of passages, those nearest in meaning, whose evidence counts."""

COVERED_TERMS = 8
"""Number of distinct terms of a question up to which a passage should have all of them."""

LEAD_WEIGHT, MAX_LEAD = 3.0, 0.1
"""How much the lead of the first section counts beside the evidence, and the lead from which more says no more."""

CONFIDENT_SHARE = 0.4
"""How far evidence and lead must be from the evidence of unrelated questions to 1 for an answer to be confident."""


def evidence(nearby: float, sentence: float, words: float, known: float = 1.0) -> float:
    """The evidence, at most 1. `nearby` and `sentence` are cosines, -1 to 1; `words` is 0 to 1.

    `known` says how far the model knows the library's language, 0 to 1. Of one that it does not know, words alone tell.
    """
    meaning = 0.6 * nearby + 0.2 * sentence
    return known * meaning + (1.0 - 0.8 * known) * words


def covered(share: float, terms: int) -> float:
    """The value, 0 to 1, of a passage that covers this share of a question with this number of distinct terms."""
    return min(share * max(terms, COVERED_TERMS) / COVERED_TERMS, 1.0)


def unrelated(passages: int) -> float:
    """The evidence of questions about other subjects, at the 95th percentile, in a library of this size."""
    return 0.0909 + 0.0316 * math.log(max(passages, 100))


def confident_from(passages: int) -> float:
    """The evidence, with three times the lead, from which an answer is confident in a library of this size."""
    line = unrelated(passages)
    return line + CONFIDENT_SHARE * (1.0 - line)


def answered(strength: float, lead: float, passages: int) -> Answered:
    """The verdict for this evidence in a library of this size.

    `lead` is how much higher the first section scores than the second. Where many are equally near, the first is first
    by chance; so confidence asks for more evidence then.
    """
    if strength < unrelated(passages):
        return "none"
    enough = confident_from(passages)
    return "confident" if strength + LEAD_WEIGHT * min(lead, MAX_LEAD) >= enough else "likely"
