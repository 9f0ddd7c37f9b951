"""Given what a result owes its place to, that in words for a reader."""

from __future__ import annotations

from collections.abc import Sequence

from kb.ranking.ranking import SUBJECT_SHARE
from kb.schema.results import Citation, Explanation

MENTIONED = 3
"""So many words are named, those that count most."""


def reason_for(explanation: Explanation, citation: Citation, mentioned: Sequence[str]) -> str:
    """One sentence. `mentioned` are words of the question as the passage writes them, those that count most first."""
    parts = []
    if explanation.name > 0 or explanation.focus_share >= SUBJECT_SHARE:
        parts.append(f"the article is about {_named(citation, explanation.name_matched)}")
    if citation.section_heading:
        parts.append(f"the section is “{citation.section_heading}”")
    if explanation.kind:
        parts.append("of the article’s sections it is of the kind you ask for")
    words = list(dict.fromkeys(word.casefold() for word in mentioned))[:MENTIONED]
    if words:
        parts.append(f"it mentions {_listed(words)}")
    else:
        parts.append("its meaning is near, in other words than yours")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _named(citation: Citation, matched: str) -> str:
    title = f"“{citation.article_title}”"
    if matched and matched.casefold() != citation.article_title.casefold():
        return f"{title}, also called “{matched}”"
    return title


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
