"""What a question negates or excludes, and whether a text says the same or the opposite.

"Rash with no fever" and "rash with fever" share all their terms, since the keyword index has no "no" and no "with",
and their vectors are close. So the negated words of a question are found here by the words before them (or behind:
"sugar free"), and looked up in the text of a section with what negates them there.

Words are stems with the small words kept (`kb.text.analysis.words`). A negation holds for SCOPE_WORDS words behind
it, to the end of its clause.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from kb.text import analysis
from kb.text.analysis import Token

SCOPE_WORDS = 6
"""Maximum distance of a negated word from what negates it."""

MAX_NEGATED = 3
"""Maximum number of words of a question that one negation is taken to be about; each weighs half the one before."""

_NEGATIONS = frozenset(
    analysis.stems(
        "not no never without none neither nor cannot non lack lacks lacking absence avoid avoiding hardly rarely"
        " can't don't doesn't didn't isn't aren't wasn't weren't won't wouldn't shouldn't couldn't hasn't haven't"
        " hadn't mustn't needn't ain't cant dont doesnt didnt isnt arent wasnt werent wont wouldnt shouldnt couldnt"
    )
)
_EXCLUSIONS = frozenset(analysis.stems("besides except excepting excluding barring"))
_PAIRS = {
    ("apart", "from"): True,
    ("asid", "from"): True,
    ("rather", "than"): True,
    ("instead", "of"): True,
    ("free", "of"): False,
    ("free", "from"): False,
}
"""Negations of two words, and whether they exclude: ask for others than what they name."""

_NO_NEGATION = frozenset(analysis.stems("only just necessarily"))
"""What makes of "not" before it no negation ("not only")."""

_CLAUSE_ENDS = frozenset(
    analysis.stems(
        "but however because although though if when while what who whom why how where which unless then so"
    )
)
_BREAK = re.compile(r"[,;:.!?()\n]")
_OPPOSITES = ("non", "un", "in", "im", "ir", "il", "dis")
"""Prefixes that negate the word behind them."""


_WITHOUT = frozenset(
    ["painless", "harmless", "sugarless", "needleless", "odourless", "odorless", "colourless"]
)
"""Words that negate what they begin with; most others on -less are names of something ("restless legs")."""


class Negated(NamedTuple):
    """The negated terms of a question with their weights, 1 for the nearest, and whether they are excluded.

    A negation asks for what says the same ("not contagious"), an exclusion for anything else ("besides smoking").
    """

    terms: Mapping[str, float]
    excludes: bool


def negated(question: str) -> Negated | None:
    """What a question negates; None for most."""
    found = analysis.words(question)
    terms: dict[str, float] = {}
    excludes = False
    for places, is_exclusion in _negations(question, found):
        own = [found[place] for place in places if _term(question, found[place])]
        for number, word in enumerate(own[:MAX_NEGATED]):
            terms[word.term] = max(terms.get(word.term, 0.0), 0.5**number)
            excludes |= is_exclusion
    for word in found:
        written = question[word.start : word.end].lower()
        if written in _WITHOUT:
            terms.update(dict.fromkeys(analysis.stems(written[:-4]), 1.0))
    return Negated(terms, excludes) if terms else None


def agreement(asked: Negated, text: str) -> float:
    """How far a text negates the same: 1 where it always does, -1 where it never does, 0 where it has none of it."""
    found = analysis.words(text)
    stems = {word.term for word in found}
    inside = {place for places, _ in _negations(text, found) for place in places}
    total = 0.0
    for term, weight in asked.terms.items():
        against = sum(1 for word in stems if _is_opposite(word, term))
        same = against + sum(1 for place in inside if found[place].term == term)
        every = against + sum(1 for word in found if word.term == term)
        if every:
            total += weight * (2 * same - every) / every
    return total / sum(asked.terms.values())


def _negations(text: str, found: list[Token]) -> Iterator[tuple[list[int], bool]]:
    """The places of the words that each negation holds for, the nearest first, and whether it excludes."""
    for place, word in enumerate(found):
        after = found[place + 1].term if place + 1 < len(found) else ""
        exclusion = _PAIRS.get((word.term, after))
        if exclusion is not None:
            yield _scope(text, found, place + 1), exclusion
        elif word.term in _EXCLUSIONS or _is_other_than(found, place):
            yield _scope(text, found, place), True
        elif word.term in _NEGATIONS and after not in _NO_NEGATION:
            yield _scope(text, found, place), False
        elif word.term == "free" and place and text[found[place - 1].end : word.start] in " -‐‑":
            yield [place - 1], False


def _is_other_than(found: list[Token], place: int) -> bool:
    """Whether a word is the "than" of "other causes than"."""
    before = found[max(0, place - 3) : place]
    return found[place].term == "than" and any(word.term == "other" for word in before)


def _scope(text: str, found: list[Token], negation: int) -> list[int]:
    places: list[int] = []
    for place in range(negation + 1, min(negation + 1 + SCOPE_WORDS, len(found))):
        between = text[found[place - 1].end : found[place].start]
        if _BREAK.search(between) or found[place].term in _CLAUSE_ENDS:
            break
        places.append(place)
    return places


def _term(text: str, word: Token) -> bool:
    """Whether a word is more than a small one."""
    return bool(analysis.terms(text[word.start : word.end]))


def _is_opposite(word: str, term: str) -> bool:
    """Whether a stem is the opposite of another by its form: "unsaf" of "safe", "painless" of "pain"."""
    if len(term) < 3 or term[:3] not in word:
        return False
    bare = term.removesuffix("e")
    return any(word.startswith(prefix + bare) for prefix in _OPPOSITES) or word == f"{term}less"
