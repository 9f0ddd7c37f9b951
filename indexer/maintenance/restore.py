"""A backup restored: verified in full, then published; its corpora are put where they are wanted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from indexer.generations.base import open_one
from indexer.generations.collect import collect
from indexer.generations.lock import writer_lock
from indexer.generations.publish import building_folder, creation_time, fsync_folders, known_removed
from indexer.maintenance.backup_file import CORPORA_FOLDER, HASHES_FILE, IndexRecords, extract
from indexer.maintenance.restore_corpora import (
    CorpusPlace,
    corpus_places,
    put_files,
    take_out,
    with_places,
)
from indexer.maintenance.rollback import make_live_without
from kb.ranking import tuned_weights
from kb.schema.errors import IndexDamaged, KbError, TuningDamaged
from kb.storage.disk_errors import check_room, telling
from kb.storage.durable import fsync, write_durably
from kb.storage.generation import check_files, file_sha256, generation_path
from kb.storage.manifest import FILE as MANIFEST
from kb.storage.manifest import Manifest
from kb.storage.sources import Sources


@dataclass(frozen=True, slots=True)
class Restored:
    """What is live now, the articles left out since they had been removed here, and the files of corpora written.

    `tuned` says whether weights of `kb tune` came with it, `pinned` whether it is a rollback that holds. `corpora` are
    the paths that corpora were put to and are built from henceforth, `absent` those that the backup does not hold and
    that stay where they were; both are empty if no folder was given.
    """

    generation: str
    left_out: tuple[str, ...]
    corpus_files: int
    tuned: bool
    pinned: bool
    corpora: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


def restore(
    index: Path,
    source: Path,
    corpus_folder: Path | None = None,
    *,
    wait_s: float = 0.0,
    waiting: Callable[[str], None] | None = None,
) -> Restored:
    """Publish the generation of a backup, and put its corpora into `corpus_folder` where one is given.

    That folder must be empty or not be there; it gets the only corpus, or a folder `0`, `1` and so on for each, and
    what is published knows its corpora by these, so that it is another generation than the one that was backed up.
    Articles that have been removed from this index since stay removed; the weights of `kb tune` are replaced where the
    backup has some; a rollback that held goes on holding. Raises KbError for what is no backup or a folder
    in use, NoRoom, IndexDamaged for one whose content is not what was backed up, IndexFormatMismatch, and OSError; the
    index then stays as it was.
    """
    if corpus_folder is not None and corpus_folder.exists() and any(corpus_folder.iterdir()):
        raise KbError(f"{corpus_folder} is not empty: name another folder for the corpus.")
    needed = source.stat().st_size  # of what is compressed it is less than that
    check_room(index, needed)
    with writer_lock(index, wait_s, waiting), telling(index, needed):
        with building_folder(index) as folder:
            backed_up = extract(source, folder)
            beside = _read_beside(source, folder)
            _check_corpora(source, folder)
            staged = folder / "generation" / backed_up
            manifest = _verified(index, staged)
            places: tuple[CorpusPlace, ...] = ()
            if corpus_folder is not None:
                sources = Sources.load(staged)
                places = corpus_places(manifest, sources, folder / CORPORA_FOLDER, corpus_folder)
            generation_id = _place(
                index, folder, staged, with_places(manifest, places, creation_time(index))
            )
            written = put_files(places)
            take_out(places, known_removed(index))
        pinned = beside.pinned == backed_up
        with open_one(index, generation_id, is_live=False) as base, _weights(index, beside.tuning):
            removed = known_removed(index)
            left_out = removed & base.sources.articles.keys()
            known = removed | (beside.removed - base.sources.articles.keys())
            live = make_live_without(index, base, left_out, pin=pinned, removed=known)
        collect(index)
    tuned = beside.tuning is not None
    corpora = tuple(str(place.path) for place in places)
    known_by = {place.number for place in places} if corpus_folder else range(len(manifest.corpora))
    absent = (corpus.path for n, corpus in enumerate(manifest.corpora) if n not in known_by)
    return Restored(live, tuple(sorted(left_out)), written, tuned, pinned, corpora, tuple(absent))


def _read_beside(source: Path, folder: Path) -> IndexRecords:
    try:
        return IndexRecords.load(folder / "beside")
    except (TuningDamaged, IndexDamaged) as error:
        raise IndexDamaged(
            f"{source}: the weights or the names of removed articles in it are not what was backed up. "
            "Restore another backup."
        ) from error


def _check_corpora(source: Path, folder: Path) -> None:
    """Raise IndexDamaged unless the unpacked corpora are what was backed up."""
    found = {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in (folder / CORPORA_FOLDER).rglob("*")
        if path.is_file()
    }
    try:
        expected = json.loads((folder / HASHES_FILE).read_bytes())
    except (OSError, ValueError):
        expected = None
    if found != expected:
        raise IndexDamaged(
            f"{source}: the files of the corpora in it are not what was backed up. Restore another backup."
        )


@contextmanager
def _weights(index: Path, weights: tuned_weights.Tuning | None) -> Iterator[None]:
    """Store the weights, if there are any, before what is done here: who opens an index reads both.

    Where that fails, the weights are again those that were there.
    """
    if weights is None:
        yield
        return
    path = index / tuned_weights.FILE
    before = path.read_bytes() if path.exists() else None
    tuned_weights.store(index, weights)
    try:
        yield
    except BaseException:
        if before is None:
            tuned_weights.remove(index)
        else:
            write_durably(path, before)
        raise


def _verified(index: Path, staged: Path) -> Manifest:
    """The manifest of an unpacked generation that is what was backed up. Raises the kinds of IndexUnusable."""
    manifest = Manifest.load(staged)
    _refuse_others(staged, manifest)
    check_files(index, staged, manifest, "full")
    return manifest


def _place(index: Path, folder: Path, staged: Path, manifest: Manifest) -> str:
    """Move an unpacked generation, with that manifest, to where it belongs, once it is on disk; its id."""
    for name in manifest.files:
        fsync(staged / name)
    (staged / MANIFEST).write_bytes(manifest.to_bytes())
    fsync_folders(staged)
    fsync(staged / MANIFEST)
    target = generation_path(index, manifest.generation_id)
    if target.exists():
        target.rename(folder / "replaced")  # the same, or a damaged one of that name
    staged.rename(target)
    fsync(target.parent)
    return target.name


def _refuse_others(folder: Path, manifest: Manifest) -> None:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST and name not in manifest.files:
            raise IndexDamaged(f"{name}: the backup's manifest knows no such file.")
