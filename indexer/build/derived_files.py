"""The files of a generation that depend on its whole library: names, words, suggestions and spellings.

A patched generation gets the same bytes as a fresh one. Its names, suggestions and word counts are made from those of
its base.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from indexer.lexicon.lexicon import Lexicon, write_lexicon
from indexer.passages.texts import Library
from indexer.writers.coarse import write_coarse
from indexer.writers.merge import Merge
from indexer.writers.names import write_names
from indexer.writers.spelling import Earlier, write_spelling
from indexer.writers.suggestions import patch_suggestions, write_suggestions
from indexer.writers.word_counts import FOLDER as COUNTS
from indexer.writers.word_counts import WordCounts, count_words
from kb.retrieval.postings import Postings
from kb.schema.article import Article
from kb.storage.articles import FILE as STORE
from kb.storage.articles import ArticleStore

NAMES_FOLDER, SPELLING_FOLDER, SUGGESTIONS_FOLDER = "names", "spelling", "suggestions"


@dataclass(frozen=True, slots=True)
class Change:
    """How a generation differs from `base`: without `removed_ids`, and with the articles in `additions`.

    `names` says how the names of both were merged.
    """

    base: Path
    removed_ids: Collection[str]
    additions: Path
    names: Merge


def write_starts(library: Library, folder: Path) -> None:
    """Write where the names of each article and the sentences of each passage begin."""
    np.save(folder / "vectors" / "name_starts.npy", library.name_starts, allow_pickle=False)
    np.save(folder / "vectors" / "sentence_starts.npy", library.sentence_starts, allow_pickle=False)


def write_derived_files(
    library: Library, folder: Path, lexicon: Lexicon, change: Change | None = None
) -> None:
    """Write these files into the folder of a generation. With `change`, unchanged articles are not read."""
    write_starts(library, folder)
    write_coarse(folder / "vectors")
    write_names(
        folder / NAMES_FOLDER,
        library.names,
        library.name_starts,
        Postings(folder / "postings"),
        (change.base / NAMES_FOLDER, change.names) if change else None,
    )
    earlier = None
    if change is None:
        counts = count_words(library.articles())
        write_suggestions(folder / SUGGESTIONS_FOLDER, library.outlines())
    else:
        before = WordCounts.load(change.base / COUNTS)
        earlier = Earlier(change.base / SPELLING_FOLDER, before.words.keys())
        lost = count_words(_articles(change.base / STORE, change.removed_ids))
        gained = count_words(_articles(change.additions / STORE))
        counts = before.plus(lost, -1).plus(gained)
        patch_suggestions(
            folder / SUGGESTIONS_FOLDER,
            change.base / SUGGESTIONS_FOLDER,
            _articles(change.base / STORE, change.removed_ids),
            _articles(change.additions / STORE),
            library.outlines,
        )
    counts.save(folder / COUNTS)
    write_spelling(folder / SPELLING_FOLDER, counts, earlier)
    write_lexicon(folder, lexicon, library)


def _articles(store: Path, ids: Collection[str] | None = None) -> Iterator[Article]:
    with closing(ArticleStore(store)) as articles:
        yield from articles.articles(ids)
