"""Given an index, one file that holds its live generation and the corpora it was made from; and back.

A tar file: `generation/<id>/...` as it lies on disk, `corpora/<number>/...`, the files of each corpus with the records
of what was removed and which ids were given, `beside/...`, what the index knows that neither tells: the weights of
`kb tune`, what was removed, so that no older backup brings it back, and whether a rollback holds; and `corpora.json`,
the SHA-256 of their files. Embeddings are left out: they are many times as large, and made anew where they are missing.
What is restored is verified in full before it is published. The index notes which backups were made of it.
"""

from __future__ import annotations

import hashlib
import io
import json
import lzma
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from indexer.corpus.files import RECORDS, list_files, list_lexicons
from indexer.generations.base import open_one
from indexer.generations.collect import collect
from indexer.generations.lock import writer_lock
from indexer.generations.publish import building_folder, creation_time, fsync_folders, known_removed
from indexer.generations.room import generation_bytes
from indexer.maintenance.archive_corpora import (
    CorpusPlace,
    corpus_places,
    put_files,
    take_out,
    with_places,
)
from indexer.maintenance.backups import note_backup
from indexer.maintenance.rollback import make_live_without
from kb.ranking import tuned_weights
from kb.schema.errors import CorpusError, IndexDamaged, KbError, TuningDamaged
from kb.storage.disk_errors import check_room, telling
from kb.storage.durable import fsync, name_file, write_durably
from kb.storage.generation import PINNED, check_files, file_sha256, generation_path, open_generation
from kb.storage.manifest import FILE as MANIFEST
from kb.storage.manifest import Manifest
from kb.storage.open_newest import REMOVED, removed_articles
from kb.storage.sources import Sources

BESIDE = (tuned_weights.FILE, REMOVED, PINNED)
CORPORA = "corpora"
HASHES = "corpora.json"

_BLOCK_BYTES = 1 << 20
_REMEDY = "name a file that `kb backup` wrote, or fetch this one again."


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds. `missing` are the corpora that could not be read and are not in it.

    `noted` is False where the index could not be written: it will not name this backup when an article is purged.
    """

    generation: str
    corpus_files: int
    bytes: int
    missing: tuple[str, ...]
    noted: bool


@dataclass(frozen=True, slots=True)
class Restored:
    """What is live now, the articles left out since they had been removed here, and the files of corpora written.

    `tuned` says whether weights of `kb tune` came with it, `pinned` whether it is a rollback that holds. `corpora` are
    the paths that corpora were put to and are built from henceforth, `absent` those that the backup does not hold and
    that stay where they were; both are empty where no folder was given.
    """

    generation: str
    left_out: tuple[str, ...]
    corpus_files: int
    tuned: bool
    pinned: bool
    corpora: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Beside:
    """What lies beside the generations."""

    tuning: tuned_weights.Tuning | None
    removed: frozenset[str]
    pinned: str | None
    """The id of the generation that a rollback made live."""

    @classmethod
    def load(cls, folder: Path) -> _Beside:
        """Read it. Raises TuningDamaged and IndexDamaged."""
        pin = folder / PINNED
        pinned = pin.read_text(encoding="ascii", errors="replace").strip() if pin.exists() else None
        return cls(tuned_weights.load(folder), removed_articles(folder), pinned)


def back_up(index: Path, target: Path) -> Backup:
    """Write the live generation and its corpora to `target`, whole or not at all, and on disk once this returns.

    Raises the kinds of IndexUnusable where the live generation does not verify, TuningDamaged, NoRoom where there is
    not enough for it, and OSError.
    """
    _Beside.load(index)  # nothing damaged goes into a backup
    folder, manifest, lease = open_generation(index, "full")
    missing: list[str] = []
    hashes: dict[str, str] = {}
    needed = generation_bytes(manifest)  # the corpora are a hundredth of that
    try:
        check_room(target.parent, needed)
        with (
            telling(target, needed),
            _new_file(target) as stream,
            tarfile.open(fileobj=stream, mode="w") as archive,
        ):
            inside = f"generation/{folder.name}"
            archive.add(folder / MANIFEST, f"{inside}/{MANIFEST}", recursive=False)
            for name, info in manifest.files.items():
                _add_verified(archive, folder / name, f"{inside}/{name}", info.sha256)
            for name in BESIDE:
                if (index / name).exists():
                    archive.add(index / name, f"beside/{name}", recursive=False)
            for number, corpus in enumerate(manifest.corpora):
                try:
                    files = _corpus_files(Path(corpus.path))
                except CorpusError:
                    missing.append(corpus.path)
                    continue
                for name, path in files:
                    inside = f"{CORPORA}/{number}/{name}"
                    hashes[inside] = _add(archive, path.resolve(), inside)
            _add_bytes(archive, HASHES, json.dumps(hashes, indent=1).encode("ascii"))
    finally:
        lease.release()
    try:
        note_backup(index, target)
    except OSError:
        noted = False
    else:
        noted = True
    return Backup(folder.name, len(hashes), target.stat().st_size, tuple(missing), noted)


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
            backed_up = _extract(source, folder)
            beside = _read_beside(source, folder)
            _check_corpora(source, folder)
            staged = folder / "generation" / backed_up
            manifest = _verified(index, staged)
            places: tuple[CorpusPlace, ...] = ()
            if corpus_folder is not None:
                sources = Sources.load(staged)
                places = corpus_places(manifest, sources, folder / CORPORA, corpus_folder)
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


def _read_beside(source: Path, folder: Path) -> _Beside:
    try:
        return _Beside.load(folder / "beside")
    except (TuningDamaged, IndexDamaged) as error:
        raise IndexDamaged(
            f"{source}: the weights or the names of removed articles in it are not what was backed up. "
            "Restore another backup."
        ) from error


def _check_corpora(source: Path, folder: Path) -> None:
    """Raise IndexDamaged unless the unpacked corpora are what was backed up."""
    found = {
        path.relative_to(folder).as_posix(): file_sha256(path)
        for path in (folder / CORPORA).rglob("*")
        if path.is_file()
    }
    try:
        expected = json.loads((folder / HASHES).read_bytes())
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


@contextmanager
def _new_file(target: Path) -> Iterator[IO[bytes]]:
    if not target.parent.is_dir():
        raise KbError(
            f"{target}: there is no folder {target.parent}: make it, or name another place for the backup."
        )
    temporary = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            name_file(error, temporary, target)
        raise
    fsync(target.parent)


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self.digest.update(content)
        return content


def _add(archive: tarfile.TarFile, path: Path, name: str) -> str:
    """Put a file into the archive; the SHA-256 of what was put there."""
    with path.open("rb") as stream:
        hashing = _Hashing(stream)
        archive.addfile(archive.gettarinfo(arcname=name, fileobj=stream), hashing)
    return hashing.digest.hexdigest()


def _add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def _add_verified(archive: tarfile.TarFile, path: Path, name: str, sha256: str) -> None:
    if _add(archive, path, name) != sha256:
        raise IndexDamaged(
            f"{path}: the content is not what was written. Run `kb build` to make the index anew."
        )


def _corpus_files(corpus: Path) -> list[tuple[str, Path]]:
    found = [*list_files([corpus])[0], *list_lexicons([corpus])[0]]
    files = [(file.name, file.path) for file in found]
    files += [(name, corpus / name) for name in RECORDS if (corpus / name).is_file()]
    return files


def _extract(source: Path, folder: Path) -> str:
    """Unpack a backup into `folder`; the id of its generation. Nothing but plain files, and only below the folder."""
    found = set()
    try:
        with tarfile.open(source, "r:*") as archive:
            for member in archive:
                parts = PurePosixPath(member.name).parts
                if not member.isreg() or not _is_ours(parts):
                    raise KbError(f"{source}: is not a backup: it holds {member.name!r}: {_REMEDY}")
                path = folder.joinpath(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None
                with path.open("wb") as file:
                    shutil.copyfileobj(content, file, _BLOCK_BYTES)
                if parts[0] == "generation":
                    found.add(parts[1])
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise KbError(f"{source}: is not a whole backup: {_REMEDY}") from error
    if len(found) != 1:
        raise KbError(f"{source}: is not a backup: it holds no generation: {_REMEDY}")
    return found.pop()


def _is_ours(parts: tuple[str, ...]) -> bool:
    """Whether a backup may hold a file of that path."""
    if parts[:1] == ("beside",):
        return len(parts) == 2 and parts[1] in BESIDE
    if len(parts) == 1:
        return parts[0] == HASHES
    return (
        len(parts) > 2
        and parts[0] in ("generation", CORPORA)
        and not any(part in ("..", "/") for part in parts)
    )


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
