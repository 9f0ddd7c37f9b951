"""The steps that cut text, as functions of batches: articles to passages, passages to sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

from indexer.passages.sentences import sentence_spans
from indexer.passages.splitter import Splitter
from indexer.passages.tokens import TokenCounter
from kb.schema.article import Article
from kb.schema.passage import Passage
from kb.text.hashing import word_hash
from kb.text.simhash import simhash

_WORD = re.compile(r"\w+")

MAX_COUNTED_WORDS = 0xFFFF
"""Maximum number of words that the table of passages has room for; a passage of a real text has some hundreds."""


class CutPassage(NamedTuple):
    """A passage, the number of its section in the article, the number of its words, and their SimHash."""

    passage: Passage
    section: int
    words: int
    likeness: int


class SplitArticles:
    """Cuts articles into passages for the model of a token counter."""

    def __init__(self, counter: TokenCounter) -> None:
        self._counter = counter

    def __call__(self, articles: Sequence[Article]) -> list[list[CutPassage]]:
        """The passages of each article, section by section, in reading order."""
        return [self._cut(article) for article in articles]

    def __reduce__(self) -> tuple[type[SplitArticles], tuple[TokenCounter]]:
        return SplitArticles, (self._counter,)

    @cached_property
    def _splitter(self) -> Splitter:
        return Splitter(self._counter)

    def _cut(self, article: Article) -> list[CutPassage]:
        numbers = {section.id: number for number, section in enumerate(article.sections)}
        found = []
        for passage in self._splitter.split(article):
            number = numbers[passage.section_id]
            text = article.sections[number].text[passage.start : passage.end]
            words = _WORD.findall(text.casefold())
            likeness = simhash([word_hash(word) for word in words])
            found.append(CutPassage(passage, number, min(len(words), MAX_COUNTED_WORDS), likeness))
        return found


def find_sentences(texts: Sequence[tuple[str, str]]) -> list[list[tuple[int, int]]]:
    """The sentences of each text of a language, as code-point ranges; a text without one is a sentence itself."""
    return [list(sentence_spans(text, language)) or [(0, len(text))] for text, language in texts]
