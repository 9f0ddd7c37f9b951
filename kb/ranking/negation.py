"""The boost of sections that negate what the question negates.

"Foods without gluten" is as near to "foods with gluten" as a text can be. The first sections are read, and those that
say what is asked are raised, by at most NEGATION_BOOST. Of an exclusion ("causes besides smoking"), sections that speak
of something else are raised half as much, those that speak of what is excluded not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kb.question.negation import Negated, agreement
from kb.ranking.ranking import Ranking

NEGATION_DEPTH = 20
"""Number of sections, from the first on, that are read."""

NEGATION_BOOST = 0.12
"""Maximum boost: more than what small words change in the other signals, less than what another subject does."""


def raise_negated(asked: Negated, ranking: Ranking, text_of: Callable[[int], str]) -> Ranking:
    """The ranking with the sections raised that agree with the question.

    `text_of` gives title, heading and text of a passage by its row.
    """
    by_kind = ranking.boosts.by_kind.copy()
    for candidate in ranking.grouped("section")[:NEGATION_DEPTH].tolist():
        share = agreement(asked, text_of(int(ranking.rows[candidate])))
        if asked.excludes:
            share = (1.0 + share) / 2.0
        by_kind[ranking.sections == ranking.sections[candidate]] += NEGATION_BOOST * max(share, 0.0)
    return replace(ranking, boosts=ranking.boosts._replace(by_kind=np.asarray(by_kind)))
