"""Given the store, passages and postings of a generation, what else is made from the whole library: names and words.

The same bytes come of it whether the generation was written anew or patched: then names, suggestions and the counts of
words are made from those of the older one.
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

NAMES, SPELLING, SUGGESTIONS = "names", "spelling", "suggestions"


@dataclass(frozen=True, slots=True)
class Change:
    """How a generation differs from the one in `base`: it lacks the articles `gone` and has those in `extra`.

    `names` tells how the names of both became its own.
    """

    base: Path
    gone: Collection[str]
    extra: Path
    names: Merge


def write_starts(library: Library, folder: Path) -> None:
    """Write which names are an article's, and which sentences a passage's."""
    np.save(folder / "vectors" / "name_starts.npy", library.name_starts, allow_pickle=False)
    np.save(folder / "vectors" / "sentence_starts.npy", library.sentence_starts, allow_pickle=False)


def derive(library: Library, folder: Path, lexicon: Lexicon, change: Change | None = None) -> None:
    """Write all of it into the folder of a generation. `change` spares reading what has not changed."""
    write_starts(library, folder)
    write_coarse(folder / "vectors")
    write_names(
        folder / NAMES,
        library.names,
        library.name_starts,
        Postings(folder / "postings"),
        (change.base / NAMES, change.names) if change else None,
    )
    earlier = None
    if change is None:
        counts = count_words(library.articles())
        write_suggestions(folder / SUGGESTIONS, library.outlines())
    else:
        before = WordCounts.load(change.base / COUNTS)
        earlier = Earlier(change.base / SPELLING, before.words.keys())
        gone = count_words(_articles(change.base / STORE, change.gone))
        come = count_words(_articles(change.extra / STORE))
        counts = before.plus(gone, -1).plus(come)
        patch_suggestions(
            folder / SUGGESTIONS,
            change.base / SUGGESTIONS,
            _articles(change.base / STORE, change.gone),
            _articles(change.extra / STORE),
            library.outlines,
        )
    counts.save(folder / COUNTS)
    write_spelling(folder / SPELLING, counts, earlier)
    write_lexicon(folder, lexicon, library)


def _articles(store: Path, ids: Collection[str] | None = None) -> Iterator[Article]:
    with closing(ArticleStore(store)) as articles:
        yield from articles.articles(ids)
