"""Given corpora, a new generation of the index: read, split, embed, write, publish.

Everything is built aside and published by one rename, so that the generation that answers is never half of one.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from indexer.care import write_care
from indexer.corpus import fingerprint, list_files, read_corpora
from indexer.embedding import EmbeddingCache, embed_into
from indexer.keyword_writer import compile_postings, write_whoosh
from indexer.lexicon import read_lexicon, write_lexicon
from indexer.library import Library
from indexer.model import DEFAULT_MODEL, EmbeddingModel
from indexer.name_writer import write_names
from indexer.progress import Progress
from indexer.publish import building_folder, collect, file_infos, publish, writer_lock
from indexer.spelling_writer import write_spelling
from indexer.splitter import Splitter
from indexer.store_writer import write_store
from indexer.suggestion_writer import write_suggestions
from indexer.vector_rows import RoundedRows, VectorRows
from kb.bm25f import BM25FParameters
from kb.errors import ArticleError, IndexUnusable, KbError
from kb.generation import open_generation
from kb.manifest import PIPELINE_VERSION, CorpusInfo, Counts, Manifest
from kb.postings import Postings
from kb.store import FILE as STORE


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. `embedded` of `texts` vectors were made anew, the others came from the cache."""

    generation: str
    articles: int
    sections: int
    passages: int
    texts: int
    embedded: int
    failures: tuple[ArticleError, ...]
    seconds: float


def is_stale(index: Path, corpora: Sequence[Path], model: str = DEFAULT_MODEL) -> bool:
    """Whether a build of these corpora would make anything but what is live now, or nothing usable is."""
    try:
        _, manifest, lease = open_generation(index)
    except IndexUnusable:
        return True
    lease.release()
    return (
        manifest.pipeline_version != PIPELINE_VERSION
        or manifest.model.name != model
        or manifest.bm25f != BM25FParameters()
        or manifest.corpora != _corpus_infos(corpora)
    )


def build(
    index: Path,
    corpora: Sequence[Path],
    model_name: str = DEFAULT_MODEL,
    progress: Progress | None = None,
) -> BuildReport:
    """Build the whole corpora into a new generation of `index` and publish it.

    An article or a file about words that cannot be read stops no other and stands in the report. Raises
    CorpusError where no article can be read, ModelError, BuildInProgress, and OSError; then the live generation stays
    as it was.
    """
    progress = progress or Progress()
    begun = time.monotonic()
    try:
        list_files(corpora)  # a corpus that is not there leaves no trace of an index
        with writer_lock(index), building_folder(index) as folder:
            return _build(index, folder, corpora, model_name, progress, begun)
    except sqlite3.OperationalError as error:  # a full disk, or a folder that may not be written
        raise KbError(f"{index}: cannot be written ({error}).") from error
    finally:
        progress.close()


def _build(
    index: Path,
    folder: Path,
    corpora: Sequence[Path],
    model_name: str,
    progress: Progress,
    begun: float,
) -> BuildReport:
    infos = _corpus_infos(corpora)
    progress.stage("read")
    lexicon = read_lexicon(corpora)
    reader = read_corpora(corpora)
    articles, sections = write_store(folder / STORE, _counted(reader, progress))
    progress.stage("load model")
    model = EmbeddingModel(model_name)
    _put_encoder(index, folder / "encoder", model)

    with Library(folder / STORE, model.counter) as library:
        progress.stage("split", articles)
        library.split(Splitter(model.counter), progress.advance)
        np.save(folder / "passages.npy", library.passages, allow_pickle=False)
        np.save(folder / "sentences.npy", library.sentences, allow_pickle=False)
        embedded, texts = _embed(index, folder / "vectors", library, model, progress)
        write_spelling(folder / "spelling", library.articles())
        write_suggestions(folder / "suggestions", library.articles())
        progress.stage("write keyword index", len(library.passages))
        write_whoosh(folder / "keyword", _counted(library.fields(), progress))
    progress.stage("compile postings")
    parameters = BM25FParameters()
    terms = compile_postings(
        folder / "keyword", folder / "postings", len(library.passages), parameters
    )
    write_names(folder / "names", library.names, library.name_starts, Postings(folder / "postings"))

    write_lexicon(folder, lexicon)

    progress.stage("publish")
    failures = (*reader.failures, *lexicon.failures)
    manifest = Manifest(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        model=model.info,
        bm25f=parameters,
        corpora=infos,
        counts=Counts(articles, sections, len(library.passages), terms),
        failures=tuple(str(failure) for failure in failures),
        files=file_infos(folder),
    )
    generation = publish(index, folder, manifest)
    collect(index)
    return BuildReport(
        generation=generation,
        articles=articles,
        sections=sections,
        passages=len(library.passages),
        texts=texts,
        embedded=embedded,
        failures=failures,
        seconds=time.monotonic() - begun,
    )


def _corpus_infos(corpora: Sequence[Path]) -> tuple[CorpusInfo, ...]:
    return tuple(CorpusInfo(str(path.resolve()), fingerprint([path])) for path in corpora)


def _counted(items: Any, progress: Progress) -> Iterator[Any]:
    for item in items:
        yield item
        progress.advance()


def _put_encoder(index: Path, folder: Path, model: EmbeddingModel) -> None:
    """Export the model's encoder, or copy the live generation's where it is of the same model."""
    try:
        live, manifest, lease = open_generation(index)
    except IndexUnusable:
        model.export(folder)
        return
    try:
        if manifest.model == model.info:
            shutil.copytree(live / "encoder", folder)
        else:
            model.export(folder)
    finally:
        lease.release()


def _embed(
    index: Path, folder: Path, library: Library, model: EmbeddingModel, progress: Progress
) -> tuple[int, int]:
    """Write the vectors; how many texts had to be embedded, of how many."""
    folder.mkdir()
    np.save(folder / "name_starts.npy", library.name_starts, allow_pickle=False)
    np.save(folder / "sentence_starts.npy", library.sentence_starts, allow_pickle=False)
    jobs = (
        ("passages", library.passage_text, library.passage_lengths()),
        ("sentences", library.sentence_text, library.sentence_lengths()),
        ("names", library.names.__getitem__, [len(name) // 4 for name in library.names]),
    )
    total = sum(len(lengths) for _, _, lengths in jobs) + 2 * library.section_count
    progress.stage("embed", total)
    key = f"{model.info.sha256}/{model.precision}/{model.runtime}"
    embedded = 0
    with EmbeddingCache(index / "cache" / "embeddings.sqlite", key, model.info.dimensions) as cache:
        for name, text_at, lengths in jobs:
            rows = VectorRows if name != "sentences" else RoundedRows
            out = rows(folder / name, len(lengths), model.info.dimensions)
            embedded += embed_into(out, text_at, lengths, model.embed, cache, progress.advance)
            out.save()
        embedded += write_care(folder, library, model.embed, cache, progress.advance)
    return embedded, total
