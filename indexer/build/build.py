"""The driver of a build: from corpora to a published generation.

Only new and changed articles are split, embedded and written. Their arrays are merged with those of the live
generation. Everything is built aside and published by one rename, so a query never sees half a generation.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import time
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import numpy as np

from indexer.build.embedding_cache import forget_embeddings
from indexer.build.fresh import FreshBuild
from indexer.build.new_articles import counted
from indexer.build.patched import PatchedBuild
from indexer.build.request import BuildReport, BuildRequest
from indexer.build.strategy import BuildStrategy, Contents, Work
from indexer.corpus.files import distinct
from indexer.corpus.progress import Progress
from indexer.corpus.requirements import can_read_articles
from indexer.corpus.scan import Scan
from indexer.generations.base import Base, fits_model, model_files, open_base
from indexer.generations.collect import collect, collect_and_wait
from indexer.generations.finisher import Finisher
from indexer.generations.lock import writer_lock
from indexer.generations.publish import (
    building_folder,
    creation_time,
    known_removed,
    make_live,
    publish,
)
from indexer.generations.published import (
    Published,
    check_corpora,
    check_loss,
    check_return,
    published,
)
from indexer.lexicon.lexicon import Lexicon, read_lexicon
from indexer.passages.executor import Executor, LocalExecutor
from indexer.writers.articles import write_store
from kb.schema.errors import ArticleError, IndexDamaged, KbError, StorageError
from kb.storage.articles import FILE as STORE
from kb.storage.disk_errors import check_room, storage_error
from kb.storage.generation import forget_stamps
from kb.storage.manifest import Counts, Manifest
from kb.storage.sources import Sources
from kb.text.bm25f import BM25FParameters


def build(
    request: BuildRequest, progress: Progress | None = None, executor: Executor | None = None
) -> BuildReport:
    """Bring the index up to date with the corpora, and publish it. This ends a rollback.

    An article, or a file of notices or synonyms, that cannot be read is reported and does not stop the others.
    `executor`, by default this process, runs the steps that cut articles and embed texts.

    Raises CorpusError if no article can be read. Without `replace` it also raises it where a corpus of the live
    generation is missing or has no article left, or more than half of the published articles would go
    (`indexer.generations.published`). Raises ModelError, BuildInProgress if another build goes on for longer than
    the request waits, NoRoom if the disk has less than the build takes, and KbError or OSError if it fails. The
    live generation then stays as it was, and nothing half done is left.
    """
    progress = progress or Progress()
    begun = time.monotonic()
    index = request.index
    given = distinct(request.corpora)  # a repeated corpus would define its notices twice
    try:
        # Before the lock: a missing corpus must not leave an empty index behind.
        corpora = check_corpora(index, given, replace=request.replace)
        left_out = tuple(corpus for corpus in given if corpus not in corpora)
        request = replace(request, corpora=corpora)
        with writer_lock(index, request.wait_s, request.waiting):
            builder = _Builder(request, left_out, progress, executor or LocalExecutor(), begun)
            return _build_locked(index, builder, progress)
    finally:
        progress.close()


def _build_locked(index: Path, builder: _Builder, progress: Progress) -> BuildReport:
    try:
        collect_and_wait(index, lambda: progress.stage("wait for readers"))
        with building_folder(index) as folder:
            report = builder.build_upon_undamaged(folder)
        collect(index)  # now that the base generation is released
        return report
    except (OSError, sqlite3.Error, StorageError) as error:
        told = storage_error(error, index, builder.needed or None)
        if told is not None:
            raise told from error
        if isinstance(error, StorageError):
            raise
        if isinstance(error, sqlite3.Error):
            raise KbError(f"{index}: cannot be written ({error}).") from error
        if error.filename is None:  # as for a full disk
            error.filename = str(index)
        raise


class _Builder:
    """One build, for the holder of the lock. `left_out` are missing corpora that are skipped."""

    def __init__(
        self,
        request: BuildRequest,
        left_out: tuple[Path, ...],
        progress: Progress,
        executor: Executor,
        begun: float,
    ) -> None:
        self._request = request
        self._index = request.index
        self._corpora = request.corpora
        self._left_out = left_out
        self._progress = progress
        self._executor = executor
        self._begun = begun
        self._before: Published | None = None
        self._model_files = model_files(request.model)
        self._lexicon = Lexicon()
        self.needed = 0
        """Disk space in bytes that the build needs, if known."""

    def build_upon_undamaged(self, folder: Path) -> BuildReport:
        """Build on the best undamaged generation, or from nothing if there is none."""
        request = self._request
        fits = fits_model(request.model, self._model_files, request.precision)
        damaged: set[str] = set()
        base = open_base(self._index, fits)
        while base is not None:
            try:
                return self._build(folder, base)
            except IndexDamaged:  # found during the build
                forget_stamps(self._index, base.folder.name)
                damaged.add(base.folder.name)
                base = open_base(self._index, fits, damaged)
            _empty(folder)
        return self._build(folder, None)

    def _build(self, folder: Path, base: Base | None) -> BuildReport:
        """Build in `folder`, on `base` if there is one. Releases `base`."""
        with base or nullcontext():
            self._before = (
                Published.of(base.manifest, base.sources)
                if base is not None and base.is_live
                else published(self._index)
            )
            strategy: BuildStrategy = PatchedBuild(folder, base) if base else FreshBuild(folder)
            self.needed = strategy.needed_bytes(self._request, 0)
            scan = self._read(strategy)
            removed_ids = scan.removed_ids
            self._keep_ledger(scan)
            if base is not None and self._is_unchanged(scan, base):
                base.verified()
                return self._unchanged(base, scan)
            if base is not None and self._is_mostly_removed(base, removed_ids):
                # The embeddings are in the cache now.
                _empty(folder)
                strategy = FreshBuild(folder, encoder_source=base)
                scan = self._read(strategy)
            store_bytes = (strategy.store_folder / STORE).stat().st_size
            self.needed = strategy.needed_bytes(self._request, store_bytes)
            check_room(self._index, self.needed)
            return self._publish(strategy, base, scan, removed_ids)

    def _is_mostly_removed(self, base: Base, removed_ids: set[str]) -> bool:
        """Whether a fresh build is cheaper than a merge, because more of `base` goes than stays."""
        return 2 * len(removed_ids) > len(base.sources.articles) and can_read_articles()

    def _read(self, strategy: BuildStrategy) -> Scan:
        """Write the store of articles to index, and read the lexicon."""
        self._progress.stage("read")
        known, before = strategy.known, self._before
        scan = Scan(
            self._corpora,
            known,
            given=before.ids_by_spot(self._corpora) if before and known is None else None,
            everything=strategy.wants_all,
            may_be_empty=before is not None or bool(self._request.removed),
        )
        # After the scan has hashed the files: a later edit is picked up by the next build.
        self._lexicon = read_lexicon(self._corpora)
        strategy.store_folder.mkdir(exist_ok=True)
        write_store(strategy.store_folder / STORE, counted(scan, self._progress))
        if before is not None:
            self._check_loss(before, scan)
        return scan

    def _keep_ledger(self, scan: Scan) -> None:
        """Record the new ids on disk before anybody can ask for them."""
        try:
            scan.keep_ledger()
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise
            # A read-only corpus: only the index records the ids.
            self._progress.note(
                f"{scan.tombstones.folder} cannot be written to ({error.strerror}): the ids of its articles are only "
                "in the index, and another machine may choose other ids."
            )

    def _check_loss(self, before: Published, scan: Scan) -> None:
        """Raise CorpusError if the build would remove, or bring back, articles that nobody asked for."""
        known = known_removed(self._index)
        if not self._request.replace:
            removed = known.union(self._request.removed)
            check_loss(before, scan, self._corpora, removed)
        elif self._left_out:
            check_return(before, scan, self._left_out, known)

    def _is_unchanged(self, scan: Scan, base: Base) -> bool:
        return (
            base.is_live
            and not (scan.added or scan.removed_ids)
            and scan.corpus_infos() == base.manifest.corpora
            and tuple(map(str, self._failures(scan))) == base.manifest.failures
        )

    def _failures(self, scan: Scan) -> tuple[ArticleError, ...]:
        return (*scan.failures, *self._lexicon.failures)

    def _unchanged(self, base: Base, scan: Scan) -> BuildReport:
        make_live(self._index, base.folder.name)  # a rollback ends
        contents = Contents(base.manifest.model, base.manifest.counts, _text_count(base.folder), 0)
        return self._report(base.folder.name, contents, scan, published=False)

    def _publish(
        self, strategy: BuildStrategy, base: Base | None, scan: Scan, removed_ids: set[str]
    ) -> BuildReport:
        folder = strategy.folder
        with Finisher(folder) as finisher:
            work = Work(
                request=self._request,
                executor=self._executor,
                progress=self._progress,
                lexicon=self._lexicon,
                removed_ids=removed_ids,
                finisher=finisher,
            )
            contents = strategy.write(work)
            self._progress.stage("publish")
            Sources(
                tuple(scan.files),
                scan.articles,
                scan.changes,
                self._model_files,
                lexicons=tuple(scan.lexicons),
                former=tuple(scan.former_addresses()),
            ).save(folder)
            files = finisher.file_infos()
        manifest = Manifest(
            created=creation_time(self._index),
            model=contents.model,
            bm25f=BM25FParameters(),
            corpora=scan.corpus_infos(),
            counts=contents.counts,
            failures=tuple(str(failure) for failure in self._failures(scan)),
            files=files,
        )
        taken_out = self._taken_out(scan)
        removed = known_removed(self._index) | taken_out | scan.hidden
        removed -= scan.articles.keys() | scan.waiting.keys()
        generation = publish(self._index, folder, manifest, removed=removed)
        if base is not None:
            forget_embeddings(self._index, base, taken_out)
        return self._report(generation, contents, scan, published=True)

    def _taken_out(self, scan: Scan) -> frozenset[str]:
        """The articles that are no longer in the corpora, apart from unreadable ones.

        The live generation counts even if it cannot be a base: a service of an earlier program may still use it.
        """
        gone = frozenset(scan.removed)
        if self._before is not None:
            gone |= self._before.lacking(scan) - scan.failed
            gone -= self._before.unreadable(scan, self._corpora)
        return gone

    def _report(
        self, generation: str, contents: Contents, scan: Scan, *, published: bool
    ) -> BuildReport:
        counts: Counts = contents.counts
        return BuildReport(
            generation=generation,
            articles=counts.articles,
            sections=counts.sections,
            passages=counts.passages,
            texts=contents.texts,
            embedded=contents.embedded,
            changes=scan.changes,
            failures=self._failures(scan),
            published=published,
            seconds=time.monotonic() - self._begun,
            moved=dict(sorted(scan.moved.items())),
            removed=tuple(sorted(scan.removed | scan.failed)),
            waiting=dict(sorted(scan.waiting.items())),
            other_ids=scan.other_ids(),
        )


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _text_count(folder: Path) -> int:
    names = ("passages", "sentences", "names", "care", "care")  # a section's heading and opening
    return sum(
        len(np.load(folder / "vectors" / f"{name}.npy", mmap_mode="r", allow_pickle=False))
        for name in names
    )
