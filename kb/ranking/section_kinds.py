"""The boost that lets the section of the kind that is asked for lead its article.

A question has a subject, which a name of the article tells, and asks for something about it: its causes, how common it
is. All sections are about the subject, so the section nearest to the whole question is often chance. Therefore the
name's direction is taken out of the question's vector, and the rest is compared with each section's heading and opening
(indexer/writers/section_kinds.py). The section that is best with this counted too is raised above the others.

A question that is a name and no more ("restless legs", "what is glaucoma?") asks what it is. An article says that
first, so its opening is raised. The order of articles stays, and so does that of an article's other sections.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kb.retrieval.candidates import Candidates, CandidateSearch, Vector

MIN_NAME_COSINE = 0.75
"""Cosine with a name from which on a short question is about it and asks for something of it."""

MAX_TERMS = 8
"""Maximum number of distinct terms of a question that asks one thing of a subject."""

SAME_NAME_COSINE = 0.985
"""Cosine from which on the question is the name, and what is left without it is rounding."""

KIND_WEIGHT = 0.3
"""Bonus of a section in the choice, for a cosine of 1."""

OPENING_BONUS = 0.1
"""Bonus of an opening in the choice. One that scores lower by more says nothing of the subject: a byline, say."""

LEAD = 1e-6
"""How far the chosen section is raised above the others: beyond rounding."""


def bonuses(
    search: CandidateSearch, vector: Vector, candidates: Candidates, by_meaning: bool
) -> NDArray[np.float64]:
    """The bonus of each candidate in the choice of its article's section, (n,).

    Without `by_meaning` only names that are the question word for word count.
    """
    found = np.zeros(len(candidates))
    cosines = candidates.signal("name")
    named = candidates.named | (by_meaning & (cosines >= SAME_NAME_COSINE))
    found[named & candidates.opens] = OPENING_BONUS
    if by_meaning and search.term_count <= MAX_TERMS and not search.names_article:
        about = np.flatnonzero((cosines >= MIN_NAME_COSINE) & ~named)
        found[about] = KIND_WEIGHT * search.kind_cosines(vector, candidates, about)
    return found


def boosts(
    scores: NDArray[np.float64],
    articles: NDArray[np.int64],
    sections: NDArray[np.int64],
    bonus: NDArray[np.float64],
) -> NDArray[np.float64]:
    """What is added to each score, 0 or more, of the shape of `scores`.

    `scores` are (n,), or (n, K) for K ways to score. `articles` and `sections`, (n,), are those of each candidate.
    `bonus`, (n,), counts in the choice of each article's section. Articles without any bonus are left alone.
    """
    added = np.zeros(scores.shape)
    for article in np.unique(articles[bonus != 0]).tolist():
        own = np.flatnonzero(articles == article)
        found = scores[own].reshape(len(own), -1)
        best = (found + bonus[own, None]).argmax(axis=0)
        chosen = sections[own][:, None] == sections[own][best]
        behind = found.max(axis=0) - np.where(chosen, found, -np.inf).max(axis=0)
        raised = np.where(chosen & (behind > 0), behind + LEAD, 0.0)
        added[own] = raised.reshape(scores[own].shape)
    return added
