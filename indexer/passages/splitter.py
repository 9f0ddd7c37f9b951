"""The passages of a section: stretches that fit the model's window, in whole sentences wherever possible.

A section that fits is one passage. A longer one is cut into the fewest passages that fit, at places chosen by dynamic
programming: evenly filled, between paragraphs rather than between sentences. A sentence that does not fit by itself is
cut between words, and a word that does not fit between tokens. Only white space lies outside all passages.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from indexer.passages.sentences import sentence_spans
from indexer.passages.tokens import TokenCounter
from kb.schema.article import Article, Section
from kb.schema.passage import Passage

MAX_PREFIX_TOKENS = 64
"""Maximum number of tokens of the window that title and heading take."""

_MAX_CHARS_PER_TOKEN = 32
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n|\Z")
_MID_PARAGRAPH_COST = 0.05  # a cut inside a paragraph weighs as much as a passage a fifth too short


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """The paragraphs of `text`, each with its place, without the white space around them."""
    position = 0
    for gap in _BLANK_LINE.finditer(text):
        block = text[position : gap.start()]
        stripped = block.strip()
        if stripped:
            yield position + block.index(stripped), stripped
        position = gap.end()


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence or a part of one. `closes` says whether a paragraph ends with it."""

    start: int
    end: int
    tokens: int
    closes: bool


class Splitter:
    """Cuts articles for one model."""

    def __init__(self, counter: TokenCounter) -> None:
        self._counter = counter
        between = counter.count("\n")  # stands between the prefix and the text
        self.max_tokens = counter.max_tokens - counter.special_tokens - MAX_PREFIX_TOKENS - between
        if self.max_tokens < 16:
            raise ValueError(
                f"a window of {counter.max_tokens} tokens leaves no room for a passage"
            )

    def split(self, article: Article) -> Iterator[Passage]:
        """The passages of the article, section by section, in reading order."""
        for section in article.sections:
            for start, end, tokens in self._ranges(section, article.language):
                yield Passage(article.id, section.id, start, end, tokens)

    def _ranges(self, section: Section, language: str) -> Iterator[tuple[int, int, int]]:
        text = section.text
        pieces = list(self._pieces(text, language))
        for first, last in self._cuts(pieces):
            start, end = pieces[first].start, pieces[last - 1].end
            tokens = self._counter.count(text[start:end])
            if tokens <= self.max_tokens:
                yield start, end, tokens
                continue
            # Joined pieces can count more than their sum in some tokenizers: then each for itself.
            for piece in pieces[first:last]:
                yield piece.start, piece.end, piece.tokens

    def _pieces(self, text: str, language: str) -> Iterator[_Piece]:
        for block, block_text in _blocks(text):
            spans = list(sentence_spans(block_text, language))
            for index, (start, end) in enumerate(spans):
                last = index == len(spans) - 1
                begin, stop = block + start, block + end
                tokens = self._counter.count(text[begin:stop])
                if tokens <= self.max_tokens:
                    yield _Piece(begin, stop, tokens, last)
                else:
                    yield from self._parts(text, begin, stop, last)

    def _parts(self, text: str, start: int, end: int, closes: bool) -> Iterator[_Piece]:
        """A sentence too long for a passage, cut between words, or where that cannot be between tokens."""
        while start < end:
            # A bounded look ahead: a text without one full stop takes time by its length, not its square.
            ahead = text[start : min(end, start + self.max_tokens * _MAX_CHARS_PER_TOKEN)]
            stop = start + self._counter.fitting(ahead, self.max_tokens)
            if stop < end and not text[stop].isspace() and not text[stop - 1].isspace():
                space = max(
                    (place for place in range(start + 1, stop) if text[place].isspace()), default=-1
                )
                stop = space if space > start else stop
            piece = text[start:stop]
            tail = stop - (len(piece) - len(piece.rstrip()))
            yield _Piece(start, tail, self._counter.count(text[start:tail]), closes and stop >= end)
            while stop < end and text[stop].isspace():
                stop += 1
            start = stop

    def _cuts(self, pieces: list[_Piece]) -> list[tuple[int, int]]:
        """The ranges of pieces that make the passages."""
        if not pieces:
            return []
        sums = [0]
        for piece in pieces:
            sums.append(sums[-1] + piece.tokens)
        total = max(1, sums[-1])  # some tokenizers see nothing in a text that is not blank
        target = total / math.ceil(total / self.max_tokens)
        # best[end]: (passages, cost, start of the last one) of the cheapest way to cut pieces[:end]
        best: list[tuple[int, float, int]] = [(0, 0.0, 0)]
        for end in range(1, len(pieces) + 1):
            inside = 0.0 if pieces[end - 1].closes or end == len(pieces) else _MID_PARAGRAPH_COST
            options = []
            for start in range(end - 1, -1, -1):
                size = sums[end] - sums[start]
                if size > self.max_tokens and start < end - 1:
                    break
                passages, cost, _ = best[start]
                options.append((passages + 1, cost + (size / target - 1) ** 2 + inside, start))
            best.append(min(options))
        ranges = []
        end = len(pieces)
        while end:
            start = best[end][2]
            ranges.append((start, end))
            end = start
        return ranges[::-1]
