"""A generation built from all articles."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from indexer.build.derived_files import write_derived_files
from indexer.build.new_articles import ArticleWriter
from indexer.build.request import BuildRequest
from indexer.build.strategy import Contents, Work, encoder_files
from indexer.embedding.export import export_model
from indexer.embedding.index_encoder import IndexEncoder
from indexer.generations.base import Base
from indexer.generations.disk_space import build_bytes
from indexer.passages.texts import Library
from kb.storage.articles import FILE as STORE
from kb.storage.manifest import Counts, ModelInfo
from kb.storage.sources import Sources


class FreshBuild:
    """Writes a generation of all articles, with the encoder of an earlier generation or a newly exported one."""

    wants_all = True

    def __init__(self, folder: Path, encoder_source: Base | None = None) -> None:
        self.folder = folder
        self.store_folder = folder
        self.known: Sources | None = encoder_source.sources if encoder_source else None
        self._source = encoder_source

    def needed_bytes(self, request: BuildRequest, store_bytes: int) -> int:
        """See BuildStrategy."""
        source = self._source.manifest if self._source else None
        return build_bytes(request.index, store_bytes, request.model, None, source)

    def write(self, work: Work) -> Contents:
        """See BuildStrategy. Removed articles are not in the store."""
        model = self._write_encoder(work)
        encoder = self.folder / "encoder"
        counter = IndexEncoder.counter_of(encoder)
        writer = ArticleWriter(work.request, encoder, model, work.executor, work.progress)
        with Library(self.folder / STORE, counter) as library:
            written = writer.write(library, self.folder, counter)
            work.finisher.add_finished()
            write_derived_files(library, self.folder, work.lexicon)
            counts = Counts(*library.counts, len(library.passages), written.terms)
            texts = library.text_count
        if self._source is not None:
            self._source.verified()
        return Contents(model, counts, texts, written.embedded)

    def _write_encoder(self, work: Work) -> ModelInfo:
        encoder = self.folder / "encoder"
        if self._source is not None:
            self._source.copy("encoder", encoder)
            work.finisher.add_finished(known=encoder_files(self._source.manifest))
            return self._source.manifest.model
        work.progress.stage("load model")
        model = export_model(work.request.model, encoder)
        work.finisher.add_finished()
        return replace(model, precision=work.request.precision)
