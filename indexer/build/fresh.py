"""Given the store of some articles, everything else of a generation but the encoder: passages, vectors, keywords."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from indexer.build.derive import write_starts
from indexer.corpus.progress import Progress
from indexer.embedding.batches import Choose, Embed, EmbeddingCache, embed_into
from indexer.embedding.vector_rows import PassageRows, RoundedRows, Rows
from indexer.passages.splitter import Splitter
from indexer.passages.texts import Library
from indexer.passages.tokens import TokenCounter
from indexer.writers.articles import write_store
from indexer.writers.care import write_care
from indexer.writers.keywords import compile_postings, write_whoosh
from indexer.writers.section_kinds import KindRows
from kb.storage.articles import FILE as STORE
from kb.text.bm25f import BM25FParameters

TextAt = Callable[[int], str]


def split_part(library: Library, folder: Path, counter: TokenCounter, progress: Progress) -> None:
    """Cut the articles into passages and sentences, and write these."""
    library.split(Splitter(counter), progress.advance)
    np.save(folder / "passages.npy", library.passages, allow_pickle=False)
    np.save(folder / "sentences.npy", library.sentences, allow_pickle=False)


def embed_part(
    library: Library, folder: Path, choose: Choose, cache: EmbeddingCache, progress: Progress
) -> int:
    """Write the vectors; how many texts had to be embedded."""
    vectors = folder / "vectors"
    vectors.mkdir()
    passages, sentences = len(library.passages), len(library.sentences)
    jobs: tuple[tuple[Rows, TextAt, Sequence[int]], ...] = (
        (
            PassageRows(vectors, passages, cache.dimensions),
            library.passage_text,
            library.passage_lengths(),
        ),
        (
            RoundedRows(vectors / "sentences", sentences, cache.dimensions),
            library.sentence_text,
            library.sentence_lengths(),
        ),
        (
            RoundedRows(vectors / "names", len(library.names), cache.dimensions),
            library.names.__getitem__,
            [len(name) // 4 for name in library.names],
        ),
    )
    # By tokens, and not by texts: the longest come first, and take a hundred times as long as the last.
    tokens = sum(int(sum(lengths)) for _, _, lengths in jobs) + 2 * sum(library.opening_lengths)
    progress.stage("embed tokens", tokens)
    embedded = 0
    for out, text_at, lengths in jobs:
        embedded += embed_into(out, text_at, lengths, choose, cache, progress.advance)
        out.save()
    kinds = KindRows(vectors / "kinds", library.section_count, cache.dimensions)
    embedded += write_care(vectors, library, choose, cache, kinds, progress.advance)
    kinds.save()
    return embedded


def index_part(library: Library, folder: Path, progress: Progress) -> int:
    """Write the keyword index and its postings; the number of terms."""
    count = len(library.passages)
    progress.stage("write", count)
    write_whoosh(folder / "keyword" / "00000", counted(library.fields(), progress))
    return compile_postings(
        folder / "keyword" / "00000", folder / "postings", count, BM25FParameters()
    )


def write_empty_part(folder: Path, counter: TokenCounter, dimensions: int) -> None:
    """Write a generation of no article."""
    write_store(folder / STORE, ())
    quiet = Progress()
    with Library(folder / STORE, counter) as library:
        split_part(library, folder, counter, quiet)
        with EmbeddingCache(folder / "cache.sqlite", "", dimensions) as cache:
            embed_part(library, folder, _nothing, cache, quiet)
        index_part(library, folder, quiet)
        write_starts(library, folder)


def _nothing(_: int) -> Embed:
    raise AssertionError("there is nothing to embed")


def counted(items: Iterable[Any], progress: Progress) -> Iterator[Any]:
    """The items, each a step of the present stage."""
    for item in items:
        yield item
        progress.advance()
