"""The sentences of a passage that answer a question best, and the words that match."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence

from kb.schema.results import Snippet
from kb.text import analysis

SNIPPET_MAX_CHARS = 320
"""Maximum length of a snippet in characters."""

Match = tuple[int, int, str]
"""A word that matches: start, end and term."""


def matches(text: str, wanted: Mapping[str, float]) -> list[Match]:
    """The words of `text` that are among the wanted terms, in order."""
    return [
        (token.start, token.end, token.term)
        for token in analysis.tokens(text, among=frozenset(wanted))
    ]


def best_window(
    text: str,
    sentences: Sequence[tuple[int, int]],
    found: Sequence[Match],
    wanted: Mapping[str, float],
    answer: tuple[int, int] | None = None,
) -> tuple[int, int]:
    """The run of whole `sentences`, at most SNIPPET_MAX_CHARS long, whose matches weigh most.

    `sentences` are ranges of `text`, in order. `found` are the `matches` of `wanted`, which gives each term its weight;
    a term counts once a run. Ties go to the earliest run, and there to the longest. `answer` is the range of the
    sentence that is nearest in meaning. Holding it counts as much as one more word, and decides where no word matches.
    (It cannot always decide: under a heading that says it all, a sentence of one word comes nearest.) A sentence longer
    than a snippet is cut between words.
    """
    if not sentences:
        return 0, len(text)
    one_word = math.fsum(wanted.values()) / len(wanted) if wanted else 1.0
    most, window = -1.0, sentences[0]
    begins = [begin for begin, _, _ in found]
    ends = [end for _, end in sentences]
    for first, (start, _) in enumerate(sentences):
        # The longest run from here holds what the shorter ones do.
        end = ends[max(bisect_right(ends, start + SNIPPET_MAX_CHARS) - 1, first)]
        held = {term for _, stop, term in found[bisect_left(begins, start) :] if stop <= end}
        # fsum, since a set has no order that a sum could keep
        worth = math.fsum(map(wanted.__getitem__, held))
        if answer is not None and start <= answer[0] and answer[1] <= end:
            worth += one_word
        if worth > most:
            most, window = worth, (start, end)
    return _cut(text, window, begins)


def _cut(text: str, window: tuple[int, int], hits: list[int]) -> tuple[int, int]:
    """The window, or the part of an overlong one around its first match, between words where words are not overlong."""
    start, end = window
    if end - start <= SNIPPET_MAX_CHARS:
        return window
    hit = next((hit for hit in hits if start <= hit < end), start)
    if hit - start > SNIPPET_MAX_CHARS // 2:
        earliest = min(hit - SNIPPET_MAX_CHARS // 3, end - SNIPPET_MAX_CHARS)
        start = next((place for place in range(earliest, hit) if _word_begins(text, place)), hit)
    if start + SNIPPET_MAX_CHARS >= end:
        return start, end
    stop = start + SNIPPET_MAX_CHARS
    return start, next((place for place in range(stop, start, -1) if _word_ends(text, place)), stop)


def _word_begins(text: str, place: int) -> bool:
    return text[place - 1].isspace() and not text[place].isspace()


def _word_ends(text: str, place: int) -> bool:
    return text[place].isspace() and not text[place - 1].isspace()


def _whole(found: list[Match], together: Collection[frozenset[str]]) -> list[Match]:
    """The matches, less those that are only part of a set in `together` of which not all terms were found."""
    if not together:
        return found
    held = {term for _, _, term in found}
    left_out = frozenset().union(*together).difference(*(each for each in together if each <= held))
    return [match for match in found if match[2] not in left_out]


def excerpt(
    section_text: str,
    start: int,
    end: int,
    sentences: Sequence[tuple[int, int]],
    wanted: Mapping[str, float],
    answer: tuple[int, int] | None = None,
    together: Collection[frozenset[str]] = (),
) -> tuple[Snippet, list[Match]]:
    """The snippet of the passage `section_text[start:end]`, whose sentences are given, and its `matches`, all.

    Terms that are `wanted` only as parts of another name match where all of one of these names, `together`, stand in
    the passage: "keep" alone is nothing of "legs that will not keep still". All offsets are in the section's text.
    """
    passage = section_text[start:end]
    found = _whole(matches(passage, wanted), together)
    begin, stop = best_window(
        passage,
        [(left - start, right - start) for left, right in sentences],
        found,
        wanted,
        None if answer is None else (answer[0] - start, answer[1] - start),
    )
    snippet = Snippet(passage[begin:stop], start + begin, start + stop)
    return snippet, [(start + left, start + right, term) for left, right, term in found]
