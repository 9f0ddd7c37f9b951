"""Two questions in one, taken apart: "is it safe and how long does it last", "what is a cold? and the flu?", "X vs Y".

Each part is ranked by itself, so that its best section is not lost among those that are near to both. A question is
split only where it plainly is two. Most questions with an "and" are one ("heart and lungs").
"""

from __future__ import annotations

import re

from kb.text import analysis

MAX_PART_WORDS = 16
"""Maximum number of words of a part; a longer one is a story."""

_BOTH = (
    re.compile(
        r"\b(?:differences?|compar(?:e|ed|ison)) (?:between|of)?\s*(.+?) (?:and|to|with|from) (.+)",
        re.I,
    ),
    re.compile(r"\b(?:tell|differs?|distinguish) (.+?) (?:and|from) (.+)", re.I),
    re.compile(r"(.+?) (?:vs?\.?|versus|compared (?:to|with)) (.+)", re.I),
)
"""Comparisons, with what is compared."""

_ASKING = r"(?:what|how|when|why|where|who|which|whom|can|could|should|is|are|was|does|do|did|will|would|may|must)"
_CONJUNCTION = re.compile(
    rf"[,;]?\s+(?:and|but|or)\s+(?:also\s+|then\s+|if so,?\s+)?(?={_ASKING}\b)", re.I
)
_ASKS = re.compile(rf"(?:^|[\s,]){_ASKING}\b", re.I)
_SENTENCES = re.compile(r"(?<=\?)\s+(?=\w)")
_OPENING = re.compile(rf"^(?:{_ASKING}|the|a|an|there|i|you|we|my)\s+", re.I)
_HOW = re.compile(r"^how (?:common|long|much|many|often|bad|safe|soon)\s+", re.I)
_TRAILING = re.compile(r"\s+(?:feels? like|like|last|mean|come|happen)$", re.I)
_PRONOUN = re.compile(r"\b(?:it|they|them|this|these|those|one)\b", re.I)


def parts(question: str) -> tuple[str, ...]:
    """The two questions in one, each with its subject; () for a question that is one."""
    asked = question.strip().rstrip("?.! ")
    for comparison in _BOTH:
        found = comparison.search(asked)
        if found:
            return _checked(found[1].strip(" ,"), found[2].strip(" ,"))
    sentences = _SENTENCES.split(question.strip())
    if len(sentences) == 2 and all(each.endswith("?") for each in sentences):
        return _with_subject(*sentences)
    pieces = _CONJUNCTION.split(asked)
    if len(pieces) == 2 and _ASKS.search(pieces[0]):
        return _with_subject(*pieces)
    return ()


def _with_subject(first: str, second: str) -> tuple[str, ...]:
    """Both parts, the second with the first's subject where it has none of its own ("how long does it last")."""
    first, second = first.rstrip("?.! "), second.rstrip("?.! ")
    subject = _TRAILING.sub("", _HOW.sub("", first))
    while (shorter := _OPENING.sub("", subject)) != subject:
        subject = shorter
    if _PRONOUN.search(second):
        second = _PRONOUN.sub(lambda _: subject, second, count=1)
    elif len(analysis.terms(second)) <= 1:
        second = f"{second} {subject}"
    return _checked(first, second)


def _checked(*found: str) -> tuple[str, ...]:
    """The parts, if each holds a term and none is a story."""
    whole = all(analysis.terms(part) and len(part.split()) <= MAX_PART_WORDS for part in found)
    return found if whole else ()
