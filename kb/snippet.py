"""Given a passage and the question's terms, the sentences that answer and the words that match."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from functools import lru_cache

import sentencex

from kb.analysis import Token, tokens
from kb.results import Snippet

SNIPPET_MAX_CHARS = 320


@lru_cache(maxsize=2048)
def sentence_spans(text: str, language: str = "en") -> tuple[tuple[int, int], ...]:
    """The sentences and lines of `text` as code-point ranges, white space at their ends left out."""
    spans = []
    position = 0
    for piece in sentencex.segment(language, text):
        start = text.index(piece, position)
        position = start + len(piece)
        for line in re.finditer(r"[^\n]+", piece):
            stripped = line[0].strip()
            if stripped:
                begin = start + line.start() + line[0].index(stripped)
                spans.append((begin, begin + len(stripped)))
    return tuple(spans)


@lru_cache(maxsize=512)
def _tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a passage. While somebody types, the same passages come again with every letter."""
    return tuple(tokens(text))


def matches(text: str, wanted: Mapping[str, float]) -> list[tuple[int, int, str]]:
    """The words of `text` that are among the wanted terms: start, end and term."""
    return [(token.start, token.end, token.term) for token in _tokens(text) if token.term in wanted]


def best_window(
    text: str,
    wanted: Mapping[str, float],
    language: str = "en",
    answer: tuple[int, int] | None = None,
) -> tuple[int, int]:
    """The run of whole sentences, at most SNIPPET_MAX_CHARS long, that holds most of what is wanted.

    `answer` is the sentence, as a range, that comes nearest in meaning: to hold it counts as much as one more word.
    Where no word matches it decides alone. (It may not decide always: under a heading that says it all, a sentence
    of one word comes nearest.)
    `wanted` gives each term its weight, counted once a run; of equal runs the earliest, and there the longest.
    A sentence longer than that is cut between words.
    """
    sentences = sentence_spans(text, language)
    if not sentences:
        return 0, len(text)
    found = matches(text, wanted)
    one_word = math.fsum(wanted.values()) / len(wanted) if wanted else 1.0
    best: tuple[float, int, int] | None = None
    window = sentences[0]
    for first, (start, _) in enumerate(sentences):
        for last in range(first, len(sentences)):
            end = sentences[last][1]
            if end - start > SNIPPET_MAX_CHARS and last > first:
                break
            held = {term for begin, stop, term in found if start <= begin and stop <= end}
            # fsum, since a set has no order that a sum could keep
            value = math.fsum(wanted[term] for term in held)
            if answer is not None and start <= answer[0] and answer[1] <= end:
                value += one_word
            key = (value, -start, end)
            if best is None or key > best:
                best, window = key, (start, end)
    return _cut(text, window, [begin for begin, _, _ in found])


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


def excerpt(
    section_text: str,
    start: int,
    end: int,
    wanted: Mapping[str, float],
    language: str = "en",
    answer: tuple[int, int] | None = None,
) -> tuple[Snippet, tuple[tuple[int, int], ...]]:
    """The snippet of `section_text[start:end]`, and the matched words of that whole passage.

    All offsets are in the section's text.
    """
    passage = section_text[start:end]
    if answer is not None:
        answer = (answer[0] - start, answer[1] - start)
    begin, stop = best_window(passage, wanted, language, answer)
    snippet = Snippet(passage[begin:stop], start + begin, start + stop)
    marks = tuple((start + left, start + right) for left, right, _ in matches(passage, wanted))
    return snippet, marks
