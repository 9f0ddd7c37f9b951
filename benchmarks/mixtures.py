"""Given an index of real articles, as many articles as are wanted, with vectors for all their texts.

The real ones come first, in a seeded order, with the vectors that the index's cache has of them. The others are made:
each is a mixture of two real articles drawn by chance, a sentence, or a word of its names, coming from the first with a
probability of 0.7 and else from the second. A text's vector is 0.7 of a real passage's vector of the first and 0.3 of
one of the second, of unit length. So words are as frequent, articles as long, and vectors as crowded as in the real
library; what is said makes no sense.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.batches import EmbeddingCache
from kb.schema.article import Article
from kb.storage.articles import FILE as STORE
from kb.storage.articles import ArticleStore
from kb.storage.generation import open_generation

FIRST = 0.7
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_OWN = re.compile(r" \((\d+) (\d+)\)$", re.MULTILINE)


class Mixtures:
    """What an index of real articles is stretched to. Everything depends on `seed` alone."""

    def __init__(self, index: Path, seed: int = 7) -> None:
        folder, manifest, self._lease = open_generation(index)
        self._store = ArticleStore(folder / STORE)
        self._passages = np.load(folder / "passages.npy", mmap_mode="r", allow_pickle=False)
        self.vectors: NDArray[np.float32] = np.load(
            folder / "vectors" / "passages.npy", mmap_mode="r", allow_pickle=False
        )
        order = np.argsort(self._passages["article"], kind="stable")
        self._rows = np.split(
            order, np.cumsum(np.bincount(self._passages["article"]))[:-1]
        )  # of each article
        self._count = manifest.counts.articles
        self._seed = seed
        self._texts: dict[int, Article] = {}

    def articles(self, passages: int) -> Iterator[dict[str, Any]]:
        """Articles, in the interchange form, that make about so many passages."""
        random = Random(self._seed)
        order = random.sample(range(self._count), self._count)
        made = 0
        for ordinal in order:
            if made >= passages:
                return
            made += len(self._rows[ordinal])
            article = self._article(ordinal)
            yield self._line(article.id, article, article, random)
        number = 0
        while made < passages:
            first, second = random.randrange(self._count), random.randrange(self._count)
            made += len(self._rows[first])
            number += 1
            yield self._line(
                f"mixture-{number:07}",
                self._article(first),
                self._article(second),
                random,
                f" ({first} {second})",
            )

    def vector(self, text: str) -> NDArray[np.float32]:
        """The vector of a text that is embedded; one that names no pair gets a pair by its hash."""
        random = Random(hashlib.sha256(f"{self._seed}\0{text}".encode()).digest())
        found = _OWN.search(text)
        pair = (
            found.groups()
            if found
            else (random.randrange(self._count), random.randrange(self._count))
        )
        one, other = (self.vectors[random.choice(self._rows[int(side)])] for side in pair)
        mixed = FIRST * one + (1 - FIRST) * other
        return np.asarray(mixed / np.linalg.norm(mixed), dtype=np.float32)

    def passages_of(self, article: int) -> NDArray[np.int64]:
        """The rows of a real article's passages, by its ordinal."""
        return self._rows[article]

    def _article(self, ordinal: int) -> Article:
        if ordinal not in self._texts:
            article = self._store.article_by_id(self._store.article_head(ordinal).id)
            assert article is not None
            self._texts[ordinal] = article
        return self._texts[ordinal]

    def _line(
        self, article_id: str, first: Article, second: Article, random: Random, pair: str = ""
    ) -> dict[str, Any]:
        others = _SENTENCE_END.split(" ".join(section.text for section in second.sections))

        def mixed(text: str, parts: list[str], end: re.Pattern[str]) -> str:
            kept = (
                part if random.random() < FIRST else random.choice(parts)
                for part in end.split(text)
            )
            return " ".join(kept) if pair else text

        space = re.compile(r"\s+")
        return {
            "id": article_id,
            "title": mixed(first.title, second.title.split() or ["of"], space) + pair,
            "aliases": [
                mixed(alias, second.title.split() or ["of"], space) for alias in first.aliases
            ],
            "url": first.url,
            "language": first.language,
            "tags": list(first.tags),
            "sections": [
                {
                    "id": section.id,
                    "heading": section.heading,
                    "level": section.level,
                    "text": "\n\n".join(
                        mixed(block, others, _SENTENCE_END) for block in section.text.split("\n\n")
                    ),
                }
                for section in first.sections
            ],
        }

    def write(self, path: Path, passages: int) -> None:
        """A corpus of one file, JSON lines."""
        with path.open("w", encoding="utf-8") as file:
            for line in self.articles(passages):
                file.write(json.dumps(line, ensure_ascii=False) + "\n")


class MixedCache(EmbeddingCache):
    """A cache that has every text's vector: the real one, or else a mixture. It keeps nothing."""

    mixtures: Mixtures

    def find(self, text: str) -> NDArray[np.float32]:
        """The vector of a text."""
        found = None if _OWN.search(text) else super().find(text)
        return self.mixtures.vector(text) if found is None else found
