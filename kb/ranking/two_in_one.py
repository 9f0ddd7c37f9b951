"""The boost of what answers each of two questions in one.

Each part is ranked by itself. Its best section is raised among the first SHOWN_FIRST of the whole question. The first
of these stays first, and all others keep their order.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kb.ranking.ranking import Ranking

SHOWN_FIRST = 3
"""Number of first sections among which each part has one."""

LEAD = 1e-6
"""How far a section is raised above the one whose place it takes: beyond rounding."""


def raise_parts(ranking: Ranking, order: NDArray[np.int64], best: Sequence[int]) -> Ranking:
    """The ranking with the sections of these ordinals among the first, those that are candidates.

    `order` are the candidates of all sections, best first.
    """
    shown = ranking.sections[order].tolist()
    wanted = [section for section in dict.fromkeys(best) if section in shown][: SHOWN_FIRST - 1]
    missing = [section for section in wanted if section not in shown[:SHOWN_FIRST]]
    if not missing:
        return ranking
    raised = [section for section in wanted if section != shown[0]]
    scores = ranking.boosted_scores
    # The first of those that make room; all that are raised come before it.
    others = [place for place in range(1, SHOWN_FIRST) if shown[place] not in wanted]
    line = scores[order[others[-len(missing)]]]
    by_subject = ranking.boosts.by_subject.copy()
    for number, section in enumerate(reversed(raised), start=1):
        own = np.flatnonzero(ranking.sections == section)
        behind = line + LEAD * number - scores[own].max()
        if behind > 0:
            by_subject[own] += behind
    return replace(ranking, boosts=ranking.boosts._replace(by_subject=by_subject))
