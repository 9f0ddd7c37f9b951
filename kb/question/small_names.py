"""Names that are nothing but small words: "The Who", "It", or "WHO" and "ALL", which are so in small letters.

The keyword index has no small words, so such a name has no term. Instead the whole name is a key, as written and in
small letters. A sign in front, which no term has, marks it. Capitals tell IT from "it", so the key as written comes
first.
"""

from __future__ import annotations

from collections.abc import Iterator

from kb.question.name_alone import ASK_WHAT
from kb.question.tokenised import TokenisedText
from kb.text import analysis

_ARTICLES = ("a", "an", "the")

_ASK_WHAT = ASK_WHAT | frozenset(analysis.stems("who mean means stand stands"))
"""What may stand around the name in "what does IT stand for?"."""

MAX_SMALL_WORDS = 10
"""Maximum number of words of a question that may be such a name."""


def keys_of_name(name: str) -> tuple[str, ...]:
    """The keys of a title or an alias, as written and in small letters; () for a name with a term."""
    found = TokenisedText.of(name)
    if found.terms or not found.words:
        return ()
    return tuple(dict.fromkeys(_keys([found.text[word.start : word.end] for word in found.words])))


def small_names(question: TokenisedText) -> tuple[str, ...]:
    """The keys of the names that a question may be, the likeliest first; () for a question with a term.

    A name among other words must have capitals or two words: "what is it" does not ask for the novel "It".
    """
    text, found = question.text, question.words
    if not 0 < len(found) <= MAX_SMALL_WORDS:
        return ()
    written = [text[word.start : word.end] for word in found]
    keys = dict.fromkeys(_keys(written)) if not question.terms else {}
    shouted = text.isupper()
    for first, end in _spans(question):
        name = written[first:end]
        if analysis.terms(" ".join(name)):
            continue
        exact, small = _keys(name)
        if not shouted and any(map(_has_capital, name[-1:] if first else name[1:])):
            keys[exact] = None
        elif end - first > 1:
            keys[small] = None
    return tuple(keys)


def _spans(question: TokenisedText) -> Iterator[tuple[int, int]]:
    """Where a name may begin and end if all words around it only ask what it is, the longest first."""
    stems = question.stems
    outside = [stem in _ASK_WHAT for stem in stems]
    for count in range(len(stems) - 1, 0, -1):
        for first in range(len(stems) - count + 1):
            if all(outside[:first]) and all(outside[first + count :]):
                yield first, first + count


def _keys(words: list[str]) -> tuple[str, str]:
    """The key of a name as written, and in small letters; a leading article counts for nothing."""
    kept = words[1:] if len(words) > 1 and words[0].lower() in _ARTICLES else words
    exact = f"={' '.join(kept)}"
    return exact, exact.lower()


def _has_capital(word: str) -> bool:
    return word != word.lower()
