"""Writes passages, vectors and keywords of the articles in a new store into the folder of a generation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from indexer.build.derived_files import write_starts
from indexer.build.embedding_cache import open_cache
from indexer.build.request import BuildRequest
from indexer.corpus.progress import Progress
from indexer.embedding.batches import Choose, Embed, EmbeddingCache, embed_into
from indexer.embedding.device_choice import DeviceChooser
from indexer.embedding.vector_rows import PassageRows, RoundedRows, Rows
from indexer.passages.executor import Executor, LocalExecutor
from indexer.passages.texts import Library
from indexer.passages.tokens import TokenCounter
from indexer.writers.articles import write_store
from indexer.writers.care_scores import write_care_scores
from indexer.writers.keywords import compile_postings, write_whoosh
from indexer.writers.section_kinds import KindRows
from indexer.writers.wording import write_wording
from kb.retrieval.wording import FOLDER as WORDING
from kb.storage.articles import FILE as STORE
from kb.storage.manifest import ModelInfo
from kb.text.bm25f import BM25FParameters

T = TypeVar("T")

TextAt = Callable[[int], str]


class Written(NamedTuple):
    """What was written, in numbers. `embedded` vectors were computed, the others came from the cache."""

    terms: int
    embedded: int


@dataclass(frozen=True, slots=True)
class ArticleWriter:
    """Writes the files of new articles, with the encoder in the folder `encoder`. `executor` runs the steps."""

    request: BuildRequest
    encoder: Path
    model: ModelInfo
    executor: Executor
    progress: Progress

    def write(self, library: Library, folder: Path, counter: TokenCounter) -> Written:
        """Write passages, vectors and keywords of the library into `folder`."""
        self.progress.stage("split", library.counts[0])
        split_articles(library, folder, counter, self.executor, self.progress)
        with open_cache(self.request.index, self.model) as cache:
            choose = DeviceChooser(
                self.encoder,
                self.request.model,
                self.model.precision,
                self.request.device,
                self.progress.note,
            )
            embedded = embed_texts(library, folder, choose, cache, self.executor, self.progress)
        return Written(index_passages(library, folder, self.progress), embedded)


def split_articles(
    library: Library, folder: Path, counter: TokenCounter, executor: Executor, progress: Progress
) -> None:
    """Cut the articles into passages and sentences, and write both tables."""
    library.split(counter, executor, progress.advance)
    np.save(folder / "passages.npy", library.passages, allow_pickle=False)
    np.save(folder / "sentences.npy", library.sentences, allow_pickle=False)
    write_wording(folder / WORDING, library.wordings())


def embed_texts(
    library: Library,
    folder: Path,
    choose: Choose,
    cache: EmbeddingCache,
    executor: Executor,
    progress: Progress,
) -> int:
    """Write the vectors. Returns the number of texts that had to be embedded."""
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
    # Progress counts tokens: the longest texts come first, and take a hundred times as long as the last.
    tokens = sum(int(sum(lengths)) for _, _, lengths in jobs) + 2 * sum(library.opening_lengths)
    progress.stage("embed tokens", tokens)
    embedded = 0
    for out, text_at, lengths in jobs:
        embedded += embed_into(out, text_at, lengths, choose, cache, progress.advance, executor)
        out.save()
    kinds = KindRows(vectors / "kinds", library.section_count, cache.dimensions)
    embedded += write_care_scores(
        vectors, library, choose, cache, kinds, progress.advance, executor
    )
    kinds.save()
    return embedded


def index_passages(library: Library, folder: Path, progress: Progress) -> int:
    """Write the keyword index and its postings. Returns the number of terms."""
    count = len(library.passages)
    progress.stage("write", count)
    write_whoosh(folder / "keyword" / "00000", counted(library.fields(), progress))
    return compile_postings(
        folder / "keyword" / "00000", folder / "postings", count, BM25FParameters()
    )


def write_empty_generation(folder: Path, counter: TokenCounter, dimensions: int) -> None:
    """Write a generation without articles."""
    write_store(folder / STORE, ())
    quiet, executor = Progress(), LocalExecutor()
    with Library(folder / STORE, counter) as library:
        split_articles(library, folder, counter, executor, quiet)
        with EmbeddingCache(folder / "cache.sqlite", "", dimensions) as cache:
            embed_texts(library, folder, _no_encoder, cache, executor, quiet)
        index_passages(library, folder, quiet)
        write_starts(library, folder)


def _no_encoder(_: int) -> Embed:
    raise AssertionError("there is nothing to embed")


def counted(items: Iterable[T], progress: Progress) -> Iterator[T]:
    """The items. Each one advances the progress by a step."""
    for item in items:
        yield item
        progress.advance()
