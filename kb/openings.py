"""Given a question that is a name and no more, and scores, what is added so that an article begins with its beginning.

Who types "restless legs" or "what is glaucoma?" asks what it is. All sections of an article that is called so are as
near to such a question, and which of them is nearest, chance decides; but an article says first what it is about. So
the section that it opens with is lifted above its others. Between articles nothing changes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kb import analysis

_ASK_WHAT = frozenset(
    analysis.stems(
        "a about after an and are at be before between by do does during for from her his in is its me my of on or tell"
        " the their under was were what with your"
    )
)
"""Small words that ask for nothing further than what something is; "why", "when" or "can" do."""

REACH = 0.1
"""An opening that stands further behind tells nothing of the subject: somebody's byline, say."""

ABOVE = 1e-6
"""By so much it stands above the others, beyond rounding."""


def name_alone(text: str) -> tuple[str, ...]:
    """The distinct terms (kb.analysis.terms) of a text that may be a name and no more; () of any other."""
    name = tuple(term for term in dict.fromkeys(analysis.terms(text)) if term not in _ASK_WHAT)
    return name if {*analysis.stems(text)} - _ASK_WHAT <= {*name} else ()


def lifts(
    scores: NDArray[np.float64], articles: NDArray[np.int64], opening: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """What is added to each score, 0 or more, of the shape of `scores`; `articles`, (n,), says whose each is.

    `scores` are (n,), or (n, K) for K ways to score. `opening`, (n,), are the passages of sections that stand first in
    an article which the question is the name of.
    """
    added = np.zeros(scores.shape)
    for article in np.unique(articles[opening]).tolist():
        own = articles == article
        first = own & opening
        behind = scores[own].max(axis=0) - scores[first].max(axis=0)
        added[first] = np.where((behind > 0) & (behind <= REACH), behind + ABOVE, 0.0)
    return added
