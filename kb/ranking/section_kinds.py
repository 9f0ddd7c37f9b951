"""Given a question about an article's subject, and scores, what is added so that the kind of section asked for leads.

A question has a subject, which a name of the article tells, and asks for something of it: its causes, how common it
is. All sections are about the subject, and which is nearest to the whole question is often chance. So what is left of
the question's vector without the direction of that name is compared with what each section calls itself and begins
with (indexer/writers/section_kinds.py), and the section that is best with this counted too is lifted above the others.
A question that is a name and no more ("restless legs", "what is glaucoma?") asks what it is; an article says that
first, so that its opening is lifted. Between articles nothing changes, nor among an article's other sections.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

NEAR = 0.75
"""The cosine with a name from which on a short question is about it and asks for something of it."""

SAME = 0.985
"""From which on it is the name, and what is left without it is rounding."""

WEIGHT = 0.2
"""What the kind counts in the choice of the section, for a cosine of 1."""

OPENING = 0.1
"""What it counts to be an opening: one that stands further behind tells nothing of the subject, being a byline, say."""

ABOVE = 1e-6
"""By so much a section stands above the others, beyond rounding."""


def asked_of(question: NDArray[np.float32], name: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a question, (d,), asks for of what the name is of: without its direction, of unit length; or zeros."""
    rest = question - (question @ name) / max(float(name @ name), 1e-9) * name
    return np.asarray(rest / max(float(np.linalg.norm(rest)), 1e-9), dtype=np.float32)


def lifts(
    scores: NDArray[np.float64],
    articles: NDArray[np.int64],
    sections: NDArray[np.int64],
    wanted: NDArray[np.float64],
) -> NDArray[np.float64]:
    """What is added to each score, 0 or more, of the shape of `scores`.

    `scores` are (n,), or (n, K) for K ways to score. `articles` and `sections`, (n,), say whose each is. `wanted`,
    (n,), is how much is added in the choice of each article's section; where all of an article's are 0, none is.
    """
    added = np.zeros(scores.shape)
    for article in np.unique(articles[wanted != 0]).tolist():
        own = np.flatnonzero(articles == article)
        found = scores[own].reshape(len(own), -1)
        best = (found + wanted[own, None]).argmax(axis=0)
        chosen = sections[own][:, None] == sections[own][best]
        behind = found.max(axis=0) - np.where(chosen, found, -np.inf).max(axis=0)
        raised = np.where(chosen & (behind > 0), behind + ABOVE, 0.0)
        added[own] = raised.reshape(scores[own].shape)
    return added
