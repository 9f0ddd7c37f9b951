"""A generation built on an earlier one: only new and changed articles are split, embedded and written."""

from __future__ import annotations

import shutil
from pathlib import Path

from indexer.build.derived_files import Change, write_derived_files, write_starts
from indexer.build.merge_generations import merge_generations
from indexer.build.new_articles import ArticleWriter
from indexer.build.request import BuildRequest
from indexer.build.strategy import Contents, Work, encoder_files
from indexer.embedding.index_encoder import IndexEncoder
from indexer.generations.base import Base
from indexer.generations.disk_space import build_bytes
from indexer.passages.texts import Library
from kb.storage.articles import FILE as STORE
from kb.storage.manifest import Counts
from kb.storage.sources import Sources
from kb.text.bm25f import BM25FParameters

_ADDITIONS = "additions"
"""Name of the folder for the small generation of new articles, inside the folder that is built."""


class PatchedBuild:
    """Writes a small generation of the new articles, and merges it with `base`."""

    wants_all = False

    def __init__(self, folder: Path, base: Base) -> None:
        self.folder = folder
        self.store_folder = folder / _ADDITIONS
        self.known: Sources | None = base.sources
        self._base = base

    def needed_bytes(self, request: BuildRequest, store_bytes: int) -> int:
        """See BuildStrategy."""
        base = self._base.manifest
        return build_bytes(request.index, store_bytes, request.model, base, base)

    def write(self, work: Work) -> Contents:
        """See BuildStrategy."""
        base, additions = self._base, self.store_folder
        encoder = self.folder / "encoder"
        base.copy("encoder", encoder)
        work.finisher.add_finished(_ADDITIONS, known=encoder_files(base.manifest))
        model = base.manifest.model
        counter = IndexEncoder.counter_of(encoder)
        writer = ArticleWriter(work.request, encoder, model, work.executor, work.progress)
        with Library(additions / STORE, counter) as library:
            written = writer.write(library, additions, counter)
            write_starts(library, additions)
        base.verified()
        work.progress.stage("write")
        merged = merge_generations(
            self.folder, base, work.removed_ids, additions, counter, BM25FParameters()
        )
        work.finisher.add_finished(_ADDITIONS)
        with merged.library as library:
            change = Change(base.folder, work.removed_ids, additions, merged.names)
            write_derived_files(library, self.folder, work.lexicon, change)
            counts = Counts(*library.counts, len(library.passages), merged.terms)
            texts = library.text_count
        shutil.rmtree(additions)
        return Contents(model, counts, texts, written.embedded)
