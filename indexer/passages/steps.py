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


class CutPassage(NamedTuple):
    """A passage, the number of its section in the article, and the SimHash of its words."""

    passage: Passage
    section: int
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
            found.append(CutPassage(passage, number, _likeness(text)))
        return found


def find_sentences(texts: Sequence[tuple[str, str]]) -> list[list[tuple[int, int]]]:
    """The sentences of each text of a language, as code-point ranges; a text without one is a sentence itself."""
    return [list(sentence_spans(text, language)) or [(0, len(text))] for text, language in texts]


def _likeness(text: str) -> int:
    """The SimHash of the words of a text, regardless of case and punctuation."""
    return simhash([word_hash(word) for word in _WORD.findall(text.casefold())])
