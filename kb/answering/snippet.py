"""Snippets: the sentences of a passage that best answer a question, and the words that match."""

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
    """The words of `text` whose terms are wanted, in order."""
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

    `sentences` are ranges of `text`, in order. `found` are the `matches` of `wanted`, which gives each term its weight.
    A term counts once per run. Ties go to the earliest run, then to the longest. `answer` is the range of the sentence
    nearest in meaning. It counts as much as one more word, and decides if no word matches. (It must not always decide:
    under a heading that says it all, a one-word sentence comes nearest.) A sentence longer than a snippet is cut
    between words.
    """
    if not sentences:
        return 0, len(text)
    one_word = math.fsum(wanted.values()) / len(wanted) if wanted else 1.0
    most, window = -1.0, sentences[0]
    begins = [begin for begin, _, _ in found]
    ends = [end for _, end in sentences]
    for first, (start, _) in enumerate(sentences):
        # The longest run from here includes the shorter ones.
        end = ends[max(bisect_right(ends, start + SNIPPET_MAX_CHARS) - 1, first)]
        held = {term for _, stop, term in found[bisect_left(begins, start) :] if stop <= end}
        # fsum: a set has no order, and a plain sum depends on it
        worth = math.fsum(map(wanted.__getitem__, held))
        if answer is not None and start <= answer[0] and answer[1] <= end:
            worth += one_word
        if worth > most:
            most, window = worth, (start, end)
    return _cut(text, window, begins)


def _cut(text: str, window: tuple[int, int], hits: list[int]) -> tuple[int, int]:
    """The window, or if it is too long, the part around its first match, cut between words if possible."""
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
    """The matches, without those that belong only to incomplete sets in `together`."""
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
    """The snippet of the passage `section_text[start:end]`, and all matches in the passage.

    `together` are the terms of other names. Such a term matches only if all terms of its name are in the passage:
    "keep" alone does not match "legs that will not keep still". All offsets are in the section's text.
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
