"""The articles of a store, and every text of them that is embedded or indexed, in order.

Passages are numbered in the order of their ids, so that a tie broken by number is broken by id.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import closing
from functools import cached_property, lru_cache
from itertools import chain, islice, pairwise
from pathlib import Path
from typing import Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from indexer.passages.executor import Executor
from indexer.passages.splitter import MAX_PREFIX_TOKENS
from indexer.passages.steps import SplitArticles, find_sentences
from indexer.passages.tokens import TokenCounter
from kb.schema.article import Article
from kb.storage.articles import FILE as STORE
from kb.storage.articles import ArticleStore

PASSAGE = np.dtype(
    [
        ("article", "<u4"),
        ("section", "<u4"),
        ("start", "<u4"),
        ("end", "<u4"),
        ("tokens", "<u2"),
        ("words", "<u2"),
        ("likeness", "<u8"),
    ]
)
"""A row of `passages.npy`: the ordinals of article and section, code points in the section's text, numbers of tokens
and of words, SimHash."""

SENTENCE = np.dtype([("passage", "<u4"), ("start", "<u4"), ("end", "<u4")])
"""A row of `sentences.npy`: the passage it is part of, and code points in that section's text."""


Fields = tuple[str, str, str, str]
"""The texts of one passage's fields, in the order of kb.text.bm25f.FIELDS."""

MAX_OPENING_CHARS = 240

_ARTICLES_IN_BATCH = 16
_PASSAGES_IN_BATCH = 256
"""Numbers of articles and of passages that are one batch of a step."""

T = TypeVar("T")


def _batched(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


class Library:
    """All articles of a store, read from it as they are needed."""

    passages: NDArray[np.void]
    """(N,) of PASSAGE, set by `split`."""
    sentences: NDArray[np.void]
    """(K,) of SENTENCE, in the order of passages, set by `split`; every passage has at least one."""

    def __init__(self, path: Path, counter: TokenCounter) -> None:
        self._counter = counter
        self._store = ArticleStore(path)
        with closing(sqlite3.connect(path)) as connection:
            heads = connection.execute(
                "SELECT id, title, aliases FROM articles ORDER BY ordinal"
            ).fetchall()
            owners = connection.execute("SELECT article FROM sections ORDER BY ordinal").fetchall()
        self._ids = [article_id for article_id, _, _ in heads]
        self._owners = np.array([owner for (owner,) in owners], dtype=np.int64)
        self._section = lru_cache(maxsize=4096)(self._store.section)
        self._head = lru_cache(maxsize=4096)(self._store.article_head)
        self._prefix = lru_cache(maxsize=4096)(self._shortened_heading)
        names = [(title, *json.loads(aliases)) for _, title, aliases in heads]
        self.names = [name for group in names for name in group]
        counts = [len(group) for group in names]
        self.name_starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)

    @classmethod
    def load(cls, folder: Path, counter: TokenCounter) -> Self:
        """The library of a generation's folder, already split."""
        library = cls(folder / STORE, counter)
        library.passages = np.load(folder / "passages.npy", allow_pickle=False)
        library.sentences = np.load(folder / "sentences.npy", allow_pickle=False)
        library._count_sentences()
        return library

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._store.close()

    def names_by_article(self) -> Iterator[list[str]]:
        """The title and the aliases of each article, in the order of their ids."""
        for start, end in pairwise(self.name_starts.tolist()):
            yield self.names[start:end]

    def articles(self) -> Iterator[Article]:
        """All articles with their sections, in the order of their ids."""
        return map(self._article, self._ids)

    def outlines(self) -> Iterator[Article]:
        """All articles in the order of their ids, without the texts of their sections."""
        return self._store.outlines()

    def split(self, counter: TokenCounter, executor: Executor, advance: Callable[[], None]) -> None:
        """Cut every article into passages and these into sentences, and number both."""
        batches = _batched(self.articles(), _ARTICLES_IN_BATCH)
        cut = chain.from_iterable(executor.map(SplitArticles(counter), batches))
        first_sections = np.searchsorted(self._owners, np.arange(len(self._ids))).tolist()
        rows: list[tuple[str, tuple[int, ...]]] = []
        for ordinal, passages in enumerate(cut):
            for passage, section, words, likeness in passages:
                place = first_sections[ordinal] + section
                span = (passage.start, passage.end)
                row = (ordinal, place, *span, passage.token_count, words, likeness)
                rows.append((passage.id, row))
            advance()
        rows.sort()
        self.passages = np.array([row for _, row in rows], dtype=PASSAGE)
        self.sentences = np.fromiter(self._find_sentences(executor), dtype=SENTENCE)
        self._count_sentences()

    def _count_sentences(self) -> None:
        counts = np.bincount(self.sentences["passage"], minlength=len(self.passages))
        self.sentence_starts = np.concatenate(([0], np.cumsum(counts))).astype(np.int64)

    def _find_sentences(self, executor: Executor) -> Iterator[tuple[int, int, int]]:
        batches = _batched(self._texts_to_cut(), _PASSAGES_IN_BATCH)
        found = chain.from_iterable(executor.map(find_sentences, batches))
        for row, (first, spans) in enumerate(
            zip(self.passages["start"].tolist(), found, strict=True)
        ):
            for start, end in spans:
                yield row, first + start, first + end

    def _texts_to_cut(self) -> Iterator[tuple[str, str]]:
        """The text of each passage and its language."""
        for entry in self.passages:
            text = self._section(int(entry["section"])).text
            language = self._head(int(entry["article"])).language
            yield text[int(entry["start"]) : int(entry["end"])], language

    def _article(self, article_id: str) -> Article:
        article = self._store.article_by_id(article_id)
        assert article is not None, article_id
        return article

    def wordings(self) -> Iterator[list[str]]:
        """The sentences of each passage, and the names of its article."""
        spans = zip(self.sentences["start"].tolist(), self.sentences["end"].tolist(), strict=True)
        for row, count in enumerate(np.diff(self.sentence_starts).tolist()):
            text = self._section(int(self.passages["section"][row])).text
            article = int(self.passages["article"][row])
            names = self.names[self.name_starts[article] : self.name_starts[article + 1]]
            yield [*(text[start:end] for start, end in islice(spans, count)), *names]

    def passage_text(self, place: int) -> str:
        """What is embedded for a passage: title and heading, at most MAX_PREFIX_TOKENS of them, and its own text."""
        entry = self.passages[place]
        section = int(entry["section"])
        text = self._section(section).text[int(entry["start"]) : int(entry["end"])]
        return f"{self._prefix(section)}\n{text}"

    def _shortened_heading(self, section: int) -> str:
        title = self._head(int(self._owners[section])).title
        heading = f"{title}\n{self._section(section).heading}".strip()
        return self._counter.shorten(heading, MAX_PREFIX_TOKENS)

    def passage_lengths(self) -> list[int]:
        """A rough number of tokens of each passage with its prefix, to sort by."""
        return [MAX_PREFIX_TOKENS // 4 + int(tokens) for tokens in self.passages["tokens"]]

    def sentence_text(self, place: int) -> str:
        """What is embedded for a sentence: title and heading, as for its passage, and the sentence."""
        entry = self.sentences[place]
        section = int(self.passages[int(entry["passage"])]["section"])
        text = self._section(section).text[int(entry["start"]) : int(entry["end"])]
        return f"{self._prefix(section)}\n{text}"

    def sentence_lengths(self) -> list[int]:
        """A rough number of tokens of each sentence, to sort by."""
        characters = self.sentences["end"] - self.sentences["start"]
        return [MAX_PREFIX_TOKENS // 4 + int(count) // 4 for count in characters]

    @property
    def counts(self) -> tuple[int, int]:
        """The numbers of articles and of sections."""
        return len(self._ids), self.section_count

    @property
    def section_count(self) -> int:
        """The number of sections."""
        return len(self._owners)

    @property
    def text_count(self) -> int:
        """The number of texts that are embedded."""
        return len(self.passages) + len(self.sentences) + len(self.names) + 2 * self.section_count

    def texts(self, ids: Collection[str] | None = None) -> Iterator[str]:
        """Every text that is embedded, of all articles or of those with the given ids."""
        wanted = np.array(
            [ids is None or article_id in ids for article_id in self._ids], dtype=bool
        )
        of_passage = wanted[self.passages["article"]]
        yield from map(self.passage_text, map(int, np.flatnonzero(of_passage)))
        yield from map(
            self.sentence_text, map(int, np.flatnonzero(of_passage[self.sentences["passage"]]))
        )
        for article in np.flatnonzero(wanted):
            yield from self.names[self.name_starts[article] : self.name_starts[article + 1]]
        for section in map(int, np.flatnonzero(wanted[self._owners])):
            yield self.heading(section)
            yield self.opening(section)

    def heading(self, section: int) -> str:
        """The heading of a section, alone."""
        return self._section(section).heading

    def opening(self, section: int) -> str:
        """The heading of a section and how its text begins; empty if there is no heading."""
        found = self._section(section)
        return f"{found.heading}\n{found.text[:MAX_OPENING_CHARS]}" if found.heading else ""

    def heading_and_text(self, section: int) -> str:
        """The heading of a section and all of its text."""
        found = self._section(section)
        return f"{found.heading}\n{found.text}"

    def is_english(self, section: int) -> bool:
        """Whether the article of a section says that it is in English, of whatever country."""
        language = self._head(int(self._owners[section])).language
        return language.partition("-")[0].lower() == "en"

    @cached_property
    def opening_lengths(self) -> list[int]:
        """A rough number of tokens of each opening, to sort by."""
        return [len(self.opening(section)) // 4 for section in range(self.section_count)]

    def fields(self, rows: Iterable[int] | None = None) -> Iterator[Fields]:
        """The keyword fields of the given passages, or of all, in order."""
        for entry in self.passages if rows is None else self.passages[list(rows)]:
            head = self._head(int(entry["article"]))
            section = self._section(int(entry["section"]))
            text = section.text[int(entry["start"]) : int(entry["end"])]
            yield head.title, "\n".join(head.aliases), section.heading, text
