"""Given corpora, a new generation of the index: read, split, embed, write, publish.

What the index has already is kept: only articles that are new or changed are split, embedded and written, and the
live generation's arrays are patched with them (`indexer.build.patch`). Everything is built aside and published by one
rename, so that the generation that answers is never half of one.
"""

from __future__ import annotations

import errno
import shutil
import sqlite3
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from indexer.build.derive import Change, derive, write_starts
from indexer.build.fresh import counted, embed_part, index_part, split_part
from indexer.build.patch import patch
from indexer.corpus.files import distinct
from indexer.corpus.installed import can_take_in
from indexer.corpus.progress import Progress
from indexer.corpus.scan import Scan, corpus_infos, dates_passed
from indexer.embedding.batches import EmbeddingCache
from indexer.embedding.device_choice import AUTO, ChoosingEncoder
from indexer.embedding.export import export_model
from indexer.embedding.index_encoder import RUNTIMES, IndexEncoder, cache_key
from indexer.embedding.model_folder import DEFAULT_MODEL
from indexer.generations.base import Base, fits_model, model_files, open_base
from indexer.generations.collect import collect, make_room
from indexer.generations.finisher import Finishing
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
from indexer.generations.room import build_bytes
from indexer.lexicon.lexicon import Lexicon, read_lexicon
from indexer.passages.texts import Library
from indexer.writers.articles import write_store
from kb.schema.article import today
from kb.schema.errors import (
    ArticleError,
    CorpusError,
    IndexDamaged,
    IndexFormatMismatch,
    IndexUnusable,
    KbError,
    StorageError,
)
from kb.storage.articles import FILE as STORE
from kb.storage.disk_errors import check_room, storage_error
from kb.storage.generation import forget_stamps, open_generation, pinned_generation
from kb.storage.manifest import Counts, FileInfo, Manifest, ModelInfo, Precision
from kb.storage.sources import Changes, Sources
from kb.text.bm25f import BM25FParameters

PART = "part"
"""In the folder of a generation that is being built upon another: a small one of what is new."""


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. `embedded` of `texts` vectors were made anew, the others were there.

    `published` is False where nothing had changed: then `generation` is the one that was live before. `moved` maps ids
    that articles had before to those they have now, `removed` are the ids of articles that are not there any more,
    `waiting` maps the ids of those that are not to be shown to their dates of publication and expiry, and `other_ids`
    the ids of new articles that are not their file's plain one to the file.
    """

    generation: str
    articles: int
    sections: int
    passages: int
    texts: int
    embedded: int
    changes: Changes
    failures: tuple[ArticleError, ...]
    published: bool
    seconds: float
    moved: dict[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    waiting: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    other_ids: dict[str, str] = field(default_factory=dict)


def is_stale(
    index: Path,
    corpora: Sequence[Path],
    model: str = DEFAULT_MODEL,
    precision: Precision = "fp32",
) -> bool:
    """Whether a build of these corpora would make anything but what is live now, or nothing usable is.

    Where a corpus cannot be read it is stale: what that means, the build says. An index that a rollback holds is not
    stale: only a build on purpose is to leave it. Raises IndexFormatMismatch
    where that one is of a format that this program cannot read.
    """
    corpora = distinct(corpora)
    try:
        folder, manifest, lease = open_generation(index)
    except IndexFormatMismatch as error:
        if pinned := pinned_generation(index):
            raise IndexFormatMismatch(
                f"{index} was rolled back to {pinned}, which is of a format that this program does not read. "
                "`kb build` without --if-stale leaves the rollback and makes the index of what the corpus holds."
            ) from error
        return True
    except IndexUnusable:
        return True
    try:
        if pinned_generation(index) == folder.name:
            return False
        sources = Sources.load(folder)
        return (
            not fits_model(model, model_files(model), precision)(manifest, sources)
            or manifest.corpora != corpus_infos(corpora)
            or dates_passed(sources, manifest.created[:10], today())
        )
    except (IndexUnusable, CorpusError):
        return True
    finally:
        lease.release()


def build(
    index: Path,
    corpora: Sequence[Path],
    model_name: str = DEFAULT_MODEL,
    progress: Progress | None = None,
    *,
    precision: Precision = "fp32",
    device: str = AUTO,
    wait_s: float = 0.0,
    waiting: Callable[[str], None] | None = None,
    removed: Collection[str] = (),
    replace: bool = False,
) -> BuildReport:
    """Make the index be what the corpora hold, and publish it; it leaves a rollback.

    `precision` "bf16" embeds a library in two thirds of the time or less; a few texts are embedded in float32
    nevertheless, which needs no torch. `device`, a name of torch's, is where a library is embedded; AUTO is a GPU where
    there is one. Where that cannot be used the processor embeds, and `progress` is told. A corpus that is named twice
    counts once. An article or a file about words that cannot be read stops no other and stands in the report.

    Raises CorpusError where no article can be read, and, unless told to `replace` what is published, where a corpus of
    the live generation is missing or has no article left, or more than half of what is published would go
    (`indexer.generations.published`); the articles `removed` by id do not count. Raises ModelError, BuildInProgress
    where another build is at work for longer than `wait_s`, NoRoom where the disk has less than the build takes, and
    KbError or OSError where it fails. Then the live generation stays as it was, and nothing half done is left.
    """
    progress = progress or Progress()
    begun = time.monotonic()
    corpora = distinct(corpora)  # twice the same would find each of its notices defined already
    try:
        # Before the lock: a corpus that is not there leaves no trace of an index.
        there = check_corpora(index, corpora, replace=replace)
        left_out = tuple(corpus for corpus in corpora if corpus not in there)
        corpora = there
        with writer_lock(index, wait_s, waiting):
            taken = _Taken(frozenset(removed), replace, left_out)
            builder = _Builder(
                index, corpora, model_name, precision, device, progress, begun, taken
            )
            return _build_locked(index, builder, progress)
    finally:
        progress.close()


def _build_locked(index: Path, builder: _Builder, progress: Progress) -> BuildReport:
    try:
        make_room(index, lambda: progress.stage("wait for readers"))
        with building_folder(index) as folder:
            report = builder.build_upon_what_is_whole(folder)
        collect(index)  # now that the generation built upon is no longer held
        return report
    except (OSError, sqlite3.Error, StorageError) as error:
        told = storage_error(error, index, builder.needed or None)
        if told is not None:
            raise told from error
        if isinstance(error, StorageError):
            raise
        if isinstance(error, sqlite3.Error):
            raise KbError(f"{index}: cannot be written ({error}).") from error
        if error.filename is None:  # of a full disk
            error.filename = str(index)
        raise


class _Plan(NamedTuple):
    """What is built of what.

    Written into `folder`: what `part`, that folder or one in it, has of new articles, and what `base` has but those
    that are `gone`; from nothing where there is no base. `donor` is whose encoder is copied, if anybody's.
    """

    folder: Path
    part: Path
    base: Base | None
    donor: Base | None
    gone: set[str]


class _Taken(NamedTuple):
    """What a build may take away: the articles `removed` by id, or, where it is to `replace` the library, any.

    `left_out` are the corpora that are missing, and that it goes without.
    """

    removed: frozenset[str]
    replace: bool
    left_out: tuple[Path, ...]


class _Made(NamedTuple):
    """What hangs on the articles of a generation: `embedded` of `texts` vectors were made anew."""

    model: ModelInfo
    counts: Counts
    texts: int
    embedded: int


class _Builder:
    def __init__(
        self,
        index: Path,
        corpora: Sequence[Path],
        model_name: str,
        precision: Precision,
        device: str,
        progress: Progress,
        begun: float,
        taken: _Taken,
    ) -> None:
        self._index = index
        self._corpora = corpora
        self._model_name = model_name
        self._precision: Precision = precision
        self._device = device
        self._progress = progress
        self._begun = begun
        self._taken = taken
        self._before: Published | None = None
        self._model_files = model_files(model_name)
        self._lexicon = Lexicon()
        self.needed = 0
        """How many bytes the build takes, as far as that is known."""

    def build_upon_what_is_whole(self, folder: Path) -> BuildReport:
        """Build upon the best generation that is whole, or from nothing where there is none."""
        fits = fits_model(self._model_name, self._model_files, self._precision)
        damaged: set[str] = set()
        base = open_base(self._index, fits)
        while base is not None:
            try:
                return self._build(folder, base)
            except IndexDamaged:  # which is found out while the build goes on
                forget_stamps(self._index, base.folder.name)
                damaged.add(base.folder.name)
                base = open_base(self._index, fits, damaged)
            _empty(folder)
        return self._build(folder, None)

    def _build(self, folder: Path, base: Base | None) -> BuildReport:
        """Build in `folder`, upon `base` where there is one, which is released."""
        with ExitStack() as opened:
            if base is not None:
                opened.enter_context(base)
            donor = base
            is_live = base is not None and base.is_live
            self._before = (
                Published.of(base.manifest, base.sources)
                if base is not None and is_live
                else published(self._index)
            )
            self._note_need(None, base, donor)
            part = folder / PART if base else folder
            scan = self._read(part, base, everything=False)
            gone = scan.gone
            self._keep_ledger(scan)
            if base is not None and self._is_as_before(scan, base):
                base.verified()
                return self._as_before(base, scan)
            if base is not None and 2 * len(gone) > len(base.sources.articles) and can_take_in():
                # More dead than alive: written anew, as if there had been nothing. The embeddings are kept.
                _empty(folder)
                scan, part = self._read(folder, base, everything=True), folder
                base = None
            self._note_need(part / STORE, base, donor)
            check_room(self._index, self.needed)
            return self._write(_Plan(folder, part, base, donor, gone), scan)

    def _note_need(self, store: Path | None, base: Base | None, donor: Base | None) -> None:
        """Have `needed` be what the build takes, with that store of new articles or with none yet."""
        self.needed = build_bytes(
            self._index,
            store.stat().st_size if store else 0,
            self._model_name,
            base.manifest if base else None,
            donor.manifest if donor else None,
        )

    def _read(self, part: Path, base: Base | None, *, everything: bool) -> Scan:
        """Write the store of what is to be indexed, which is everything or what `base` lacks; read the lexicon."""
        self._progress.stage("read")
        scan = Scan(
            self._corpora,
            base.sources if base else None,
            given=self._before.ids_by_spot(self._corpora) if self._before and not base else None,
            everything=everything,
            may_be_empty=self._before is not None or bool(self._taken.removed),
        )
        # After the scan has hashed its files: what is edited meanwhile is taken in by the next build.
        self._lexicon = read_lexicon(self._corpora)
        part.mkdir(exist_ok=True)
        write_store(part / STORE, counted(scan, self._progress))
        if self._before is not None:
            self._check_taken(self._before, scan)
        return scan

    def _keep_ledger(self, scan: Scan) -> None:
        """Have on disk which ids are given, before anybody can ask for them."""
        try:
            scan.keep_ledger()
        except OSError as error:
            if error.errno not in (errno.EROFS, errno.EACCES, errno.EPERM):
                raise
            # A corpus that may only be read: then the index alone knows which ids were given.
            self._progress.note(
                f"{scan.tombstones.folder} cannot be written to ({error.strerror}): the ids of its articles stand in "
                "the index alone, and another machine may give others."
            )

    def _check_taken(self, before: Published, scan: Scan) -> None:
        """Raise CorpusError where the build would take away, or bring back, what nobody asked for."""
        known = known_removed(self._index)
        if not self._taken.replace:
            check_loss(before, scan, self._corpora, self._taken.removed | known)
        elif self._taken.left_out:
            check_return(before, scan, self._taken.left_out, known)

    def _is_as_before(self, scan: Scan, base: Base) -> bool:
        return (
            base.is_live
            and not (scan.added or scan.gone)
            and scan.corpus_infos() == base.manifest.corpora
            and tuple(map(str, self._failures(scan))) == base.manifest.failures
        )

    def _failures(self, scan: Scan) -> tuple[ArticleError, ...]:
        return (*scan.failures, *self._lexicon.failures)

    def _as_before(self, base: Base, scan: Scan) -> BuildReport:
        make_live(self._index, base.folder.name)  # leaves a rollback
        texts = _text_count(base.folder)
        return self._report(base.folder.name, base.manifest.counts, scan, texts, 0, published=False)

    def _write(self, plan: _Plan, scan: Scan) -> BuildReport:
        with Finishing(plan.folder) as finishing:
            made = self._make(plan, finishing)
            self._progress.stage("publish")
            Sources(
                tuple(scan.files),
                scan.articles,
                scan.changes,
                self._model_files,
                lexicons=tuple(scan.lexicons),
                former=tuple(scan.former_addresses()),
            ).save(plan.folder)
            files = finishing.file_infos()
        manifest = Manifest(
            created=creation_time(self._index),
            model=made.model,
            bm25f=BM25FParameters(),
            corpora=scan.corpus_infos(),
            counts=made.counts,
            failures=tuple(str(failure) for failure in self._failures(scan)),
            files=files,
        )
        taken_out = self._taken_out(scan)
        removed = known_removed(self._index) | taken_out | scan.hidden
        removed -= scan.articles.keys() | scan.waiting.keys()
        generation = publish(self._index, plan.folder, manifest, removed=removed)
        if plan.donor is not None:
            forget(self._index, plan.donor, taken_out)
        return self._report(
            generation, made.counts, scan, made.texts, made.embedded, published=True
        )

    def _taken_out(self, scan: Scan) -> frozenset[str]:
        """The articles that are no longer in the corpora, other than those that cannot be read.

        What is live counts, whether it can be built upon or not: a service of an earlier program may go on with it.
        """
        gone = frozenset(scan.removed)
        if self._before is not None:
            gone |= self._before.lacking(scan) - scan.failed
            gone -= self._before.unreadable(scan, self._corpora)
        return gone

    def _make(self, plan: _Plan, finishing: Finishing) -> _Made:
        """Make all that hangs on the articles; what is finished is hashed and synced beside that."""
        folder, part, base, donor, gone = plan
        progress = self._progress
        encoder = folder / "encoder"
        if donor is not None:
            donor.copy("encoder", encoder)
            model = donor.manifest.model
        else:
            progress.stage("load model")
            model = replace(export_model(self._model_name, encoder), precision=self._precision)
        finishing.finished(PART, known=_encoder_infos(donor))
        counter = IndexEncoder.counter_of(encoder)
        with Library(part / STORE, counter) as library:
            counts = library.counts
            progress.stage("split", counts[0])
            split_part(library, part, counter, progress)
            with _cache(self._index, model) as cache:
                choose = ChoosingEncoder(
                    encoder, self._model_name, model.precision, self._device, progress.note
                )
                embedded = embed_part(library, part, choose, cache, progress)
            terms = index_part(library, part, progress)
            if base is None:
                finishing.finished()
                derive(library, folder, self._lexicon)
                passages, texts = len(library.passages), library.text_count
            else:
                write_starts(library, part)
        if donor is not None:
            donor.verified()
        if base is not None:
            progress.stage("write")
            patched = patch(folder, base, gone, part, counter, BM25FParameters())
            finishing.finished(PART)
            terms = patched.terms
            with patched.library as merged:
                change = Change(base.folder, gone, part, patched.names)
                derive(merged, folder, self._lexicon, change)
                counts = merged.counts
                passages, texts = len(merged.passages), merged.text_count
            shutil.rmtree(part)
        return _Made(model, Counts(*counts, passages, terms), texts, embedded)

    def _report(
        self,
        generation: str,
        counts: Counts,
        scan: Scan,
        texts: int,
        embedded: int,
        *,
        published: bool,
    ) -> BuildReport:
        return BuildReport(
            generation=generation,
            articles=counts.articles,
            sections=counts.sections,
            passages=counts.passages,
            texts=texts,
            embedded=embedded,
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


def _encoder_infos(donor: Base | None) -> dict[str, FileInfo]:
    """What is known of the encoder's files where they were copied, and verified then."""
    if donor is None:
        return {}
    files = donor.manifest.files
    return {name: info for name, info in files.items() if name.startswith("encoder/")}


def _cache(index: Path, model: ModelInfo) -> EmbeddingCache:
    keys = [cache_key(model, runtime) for runtime in RUNTIMES]
    return EmbeddingCache(
        index / "cache" / "embeddings.sqlite", keys[0], model.dimensions, keys[1:]
    )


def forget(index: Path, base: Base, ids: Iterable[str]) -> None:
    """Delete the embeddings of articles that `base` has and that were removed."""
    wanted = set(ids)
    if not wanted or not (index / "cache" / "embeddings.sqlite").exists():
        return
    counter = IndexEncoder.counter_of(base.folder / "encoder")
    with Library.load(base.folder, counter) as library, _cache(index, base.manifest.model) as cache:
        cache.forget(library.texts(wanted))


def _text_count(folder: Path) -> int:
    names = ("passages", "sentences", "names", "care", "care")  # a section's heading and opening
    return sum(
        len(np.load(folder / "vectors" / f"{name}.npy", mmap_mode="r", allow_pickle=False))
        for name in names
    )
