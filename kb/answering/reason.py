"""The sentence that tells a reader why a result is here."""

from __future__ import annotations

from collections.abc import Sequence

from kb.ranking.ranking import SUBJECT_SHARE
from kb.schema.results import Citation, Explanation

ABOUT_COSINE = 0.4
"""Minimum cosine of a name for a sentence that says what the article is about: any two names of a library reach it."""

MAX_MENTIONED = 3
"""Maximum number of matched words named in the reason."""


def reason_for(explanation: Explanation, citation: Citation, mentioned: Sequence[str]) -> str:
    """The reason, one sentence. `mentioned` are the matched words as the passage writes them, by descending weight."""
    parts = []
    if explanation.name_cosine >= ABOUT_COSINE or explanation.focus_share >= SUBJECT_SHARE:
        parts.append(f"the article is about {_named(citation, explanation.name_matched)}")
    if citation.section_heading:
        parts.append(f"the section is “{citation.section_heading}”")
    if explanation.kind:
        parts.append("it is the kind of section you ask for")
    words = list(dict.fromkeys(word.casefold() for word in mentioned))[:MAX_MENTIONED]
    if words:
        parts.append(f"it mentions {_listed(words)}")
    else:
        parts.append("it is similar in meaning, though worded differently")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _named(citation: Citation, matched: str) -> str:
    title = f"“{citation.article_title}”"
    if matched and matched.casefold() != citation.article_title.casefold():
        return f"{title}, also called “{matched}”"
    return title


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
