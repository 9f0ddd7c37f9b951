"""The terms of a text: what the keyword index holds and what a question is looked up by.

The chain is Whoosh's: words, lower case, accents folded, English stop words out, Snowball stems. Indexing uses Whoosh's
analyser; a question uses `terms` or `tokens`, which give the same without it. `stems` and `words` keep the stop words,
for names and phrases.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

import Stemmer
from whoosh.analysis import Filter, LowercaseFilter, RegexTokenizer, StopFilter
from whoosh.lang.stopwords import stoplists

from kb.text.word_cache import cache_short_words
from kb.text.words import INDEXED_WORD, PHRASE_WORD, fold, straight_apostrophes

MAX_TERM_BYTES = 64
"""Longer terms are cut, so that the sorted term table has a fixed and small width."""

MAX_RUN_LETTERS = 64
"""Maximum length in letters of a cached run, the text between two spaces; few longer ones come again."""

MAX_CACHED_RUNS = 100_000
"""Maximum number of cached runs."""

_STOP_WORDS = stoplists["en"]

_stemmers = threading.local()  # a PyStemmer object may not be shared between threads


class Token(NamedTuple):
    """A term and the code points of the text it was made from, `text[start:end]`."""

    term: str
    start: int
    end: int


def _term(word: str) -> str:
    """The term of a word as it is written, or "" for a stop word."""
    lower = word.lower()
    return "" if lower in _STOP_WORDS else _stem(lower)


def _found(run: str) -> tuple[tuple[str, int, int], ...]:
    """The terms of a text, each with its start and end."""
    return tuple(
        (term, match.start(), match.end())
        for match in INDEXED_WORD.finditer(run)
        if (term := _term(match[0]))
    )


_places = cache_short_words(10_000)(_found)


_terms_of_run: dict[str, str | tuple[str, ...]] = {}
"""The term of each run of letters that was looked at, "" for none; several as a tuple."""


def _terms_by_run(runs: list[str]) -> list[str | tuple[str, ...]]:
    """The term of each run, "" for none; several as a tuple.

    No word holds a space, and runs come again: to look one up takes a tenth of the time of finding its words. Of what
    is remembered each look-up touches little, since most of it is far from the processor's caches.
    """
    try:
        return [_terms_of_run[run] for run in runs]
    except KeyError:
        return [_looked_up(run) for run in runs]


def _looked_up(run: str) -> str | tuple[str, ...]:
    known = _terms_of_run.get(run)
    if known is not None:
        return known
    found = tuple(term for term, _, _ in _found(run))
    known = found if len(found) > 1 else "".join(found)
    if (
        len(run) <= MAX_RUN_LETTERS
    ):  # a script without spaces has long runs, which do not come again
        if len(_terms_of_run) >= MAX_CACHED_RUNS:
            _terms_of_run.clear()
        _terms_of_run[run] = known
    return known


@cache_short_words(100_000)
def _stem(word: str) -> str:
    """The folded stem of a lower-case word."""
    folded = fold(word)
    try:
        stemmer = _stemmers.english
    except AttributeError:
        stemmer = _stemmers.english = Stemmer.Stemmer("english")
    stemmed: str = stemmer.stemWord(folded)
    return stemmed.encode()[:MAX_TERM_BYTES].decode(errors="ignore")


class FoldAndStem(Filter):  # type: ignore[misc]
    """Whoosh's filter form of the folding and stemming above. Drops what folds to nothing."""

    def __call__(self, tokens: Iterator[Any]) -> Iterator[Any]:
        for token in tokens:
            token.text = _stem(token.text)
            if token.text:
                yield token


def make_analyzer() -> Any:
    """A new Whoosh analyser. Deterministic, and the same for articles and questions."""
    return (
        RegexTokenizer(INDEXED_WORD.pattern)
        | LowercaseFilter()
        | StopFilter(stoplist=_STOP_WORDS, minsize=1)
        | FoldAndStem()
    )


def terms(text: str) -> list[str]:
    """The terms of `text` in order, repeats included: what `make_analyzer` gives, in a fifth of the time."""
    found: list[str] = []
    for known in _terms_by_run(text.split(" ")):
        if isinstance(known, tuple):
            found += known
        elif known:
            found.append(known)
    return found


def term_of(word: str) -> str:
    """The term of a word of letters alone, in lower case, or "" for a stop word: the first of `terms`, but quicker."""
    if not word.isalpha() or word.lower() != word:
        return next(iter(terms(word)), "")
    return "" if word in _STOP_WORDS else _stem(word)


def tokens(text: str, among: frozenset[str] | None = None) -> list[Token]:
    """The terms of `text` with the places they came from; where `among` is given, of these terms alone."""
    runs = text.split(" ")
    holding = [
        place
        for place, known in enumerate(_terms_by_run(runs))
        if among is None
        or known in among
        or (isinstance(known, tuple) and not among.isdisjoint(known))
    ]
    wanted = []
    begin = counted = 0  # where the run `counted` begins
    for place in holding:
        begin += sum(map(len, runs[counted:place])) + place - counted
        counted = place
        run = runs[place]
        for term, start, end in _places(run):
            if among is None or term in among:
                wanted.append(Token(term, begin + start, begin + end))
    return wanted


def stems(text: str) -> list[str]:
    """The folded stem of every word of `text` in order, small words included; hyphens part words.

    For phrases whose small words carry the meaning: "passing out" is not "pass".
    """
    return [token.term for token in words(unicodedata.normalize("NFC", text))]


def words(text: str) -> list[Token]:
    """The stems of `stems` with the offsets of their words; `text` is in NFC."""
    found = (
        Token(_stem(match[0].lower()), match.start(), match.end())
        for match in PHRASE_WORD.finditer(straight_apostrophes(text))
    )
    return [token for token in found if token.term]


def indexed_words(text: str) -> list[str]:
    """The stem of every word of `terms` in order, stop words included; `text` is in NFC."""
    found = (_stem(match[0].lower()) for match in INDEXED_WORD.finditer(text))
    return [stem for stem in found if stem]
