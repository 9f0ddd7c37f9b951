"""The terms of a text: what the keyword index holds and what a question is looked up by.

The chain is Whoosh's: words, lower case, accents folded, English stop words out, Snowball stems. Indexing uses Whoosh's
analyser; a question uses `terms` or `tokens`, which give the same without it. `stems` and `words` keep the stop words,
for names and phrases.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Iterator
from typing import Any, NamedTuple

import Stemmer
from whoosh.analysis import Filter, LowercaseFilter, RegexTokenizer, StopFilter
from whoosh.lang.stopwords import stoplists

from kb.text.word_cache import cache_short_words

MAX_TERM_BYTES = 64
"""Longer terms are cut, so that the sorted term table has a fixed and small width."""

MAX_RUN = 64
"""Maximum length in letters of a cached run, the text between two spaces; few longer ones come again."""

MAX_RUNS = 100_000
"""Maximum number of cached runs."""

# Letters and digits, joined inside a word by an apostrophe or a decimal point: "don't", "2.5".
_WORD = r"[^\W_]+(?:['’][^\W_]+|\.(?=\d)[^\W_]+)*"

_WORD_PATTERN = re.compile(_WORD)
_STOP_WORDS = stoplists["en"]

_PLAIN_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")
# As they are typed; one for one, so that places stay.
_APOSTROPHES = str.maketrans(dict.fromkeys("’‘ʼ`´＇", "'"))

_stemmers = threading.local()  # a PyStemmer object may not be shared between threads


class Token(NamedTuple):
    """A term and the code points of the text it was made from, `text[start:end]`."""

    term: str
    start: int
    end: int


def without_accents(text: str) -> str:
    """The text with its letters and signs taken apart (NFKD) and what combines with them left out."""
    if text.isascii():
        return text
    decomposed = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def fold(word: str) -> str:
    """A lower-case word without accents, apostrophes and a final 's."""
    return without_accents(word).replace("’", "'").removesuffix("'s").replace("'", "")


def _term(word: str) -> str:
    """The term of a word as it is written, or "" for a stop word."""
    lower = word.lower()
    return "" if lower in _STOP_WORDS else _stem(lower)


def _found(run: str) -> tuple[tuple[str, int, int], ...]:
    """The terms of a text, each with its start and end."""
    return tuple(
        (term, match.start(), match.end())
        for match in _WORD_PATTERN.finditer(run)
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
    if len(run) <= MAX_RUN:  # a script without spaces has long runs, which do not come again
        if len(_terms_of_run) >= MAX_RUNS:
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
        RegexTokenizer(_WORD)
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
    composed = unicodedata.normalize("NFC", text).translate(_APOSTROPHES)
    found = [_stem(word.lower()) for word in _PLAIN_WORD.findall(composed)]
    return [stem for stem in found if stem]


def words(text: str) -> list[Token]:
    """The same stems with the places they came from; `text` in NFC."""
    found = (
        Token(_stem(match[0].lower()), match.start(), match.end())
        for match in _PLAIN_WORD.finditer(text.translate(_APOSTROPHES))
    )
    return [token for token in found if token.term]
