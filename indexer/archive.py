"""Given an index, one file that holds its live generation and the corpora it was made from; and back.

A tar file: `generation/<id>/...` as it lies on disk, and `corpora/<number>/...`, the files of each corpus with its
tombstones. What is restored is verified in full before it is published.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from indexer.base import open_one
from indexer.collect import collect
from indexer.corpus import list_files, list_lexicons
from indexer.lock import writer_lock
from indexer.publish import building_folder, fsync_files
from indexer.rollback import known_removed, make_live_without
from indexer.tombstones import FILE as TOMBSTONES
from kb.durable import fsync, make_folder, write_durably
from kb.errors import CorpusError, IndexDamaged, KbError
from kb.generation import check_files, generation_path, open_generation
from kb.manifest import FILE as MANIFEST
from kb.manifest import Manifest

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup holds. `missing` are the corpora that could not be read and are not in it."""

    generation: str
    corpus_files: int
    bytes: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Restored:
    """What is live now, the articles left out since they had been removed here, and the files of corpora written."""

    generation: str
    left_out: tuple[str, ...]
    corpus_files: int


def back_up(index: Path, target: Path) -> Backup:
    """Write the live generation and its corpora to `target`, whole or not at all, and on disk once this returns.

    Raises the kinds of IndexUnusable where the live generation does not verify, and OSError.
    """
    folder, manifest, lease = open_generation(index, "full")
    missing: list[str] = []
    count = 0
    try:
        with _new_file(target) as stream, tarfile.open(fileobj=stream, mode="w") as archive:
            inside = f"generation/{folder.name}"
            archive.add(folder / MANIFEST, f"{inside}/{MANIFEST}", recursive=False)
            for name, info in manifest.files.items():
                _add_verified(archive, folder / name, f"{inside}/{name}", info.sha256)
            for number, corpus in enumerate(manifest.corpora):
                try:
                    files = _corpus_files(Path(corpus.path))
                except CorpusError:
                    missing.append(corpus.path)
                    continue
                for name, path in files:
                    archive.add(path.resolve(), f"corpora/{number}/{name}", recursive=False)
                    count += 1
    finally:
        lease.release()
    return Backup(folder.name, count, target.stat().st_size, tuple(missing))


def restore(
    index: Path,
    source: Path,
    corpus_folder: Path | None = None,
    *,
    wait_s: float = 0.0,
    waiting: Callable[[str], None] | None = None,
) -> Restored:
    """Publish the generation of a backup, and put its corpora into `corpus_folder` where one is given.

    That folder must be empty or not be there; it gets the only corpus, or a folder `0`, `1` and so on for each.
    Articles that have been removed from this index since stay removed. Raises KbError for what is no backup or a folder
    in use, IndexDamaged for one whose content is not what was backed up, IndexFormatMismatch, and OSError; the index
    then stays as it was.
    """
    if corpus_folder is not None and corpus_folder.exists() and any(corpus_folder.iterdir()):
        raise KbError(f"{corpus_folder} is not empty: name another folder for the corpus.")
    with writer_lock(index, wait_s, waiting):
        with building_folder(index) as folder:
            generation_id = _extract(source, folder)
            _place(index, folder, folder / "generation" / generation_id)
            written = _put_corpora(folder / "corpora", corpus_folder)
        with open_one(index, generation_id, is_live=False) as base:
            left_out = known_removed(index) & base.sources.articles.keys()
            live = make_live_without(index, base, left_out, pin=False)
        collect(index)
    return Restored(live, tuple(sorted(left_out)), written)


@contextmanager
def _new_file(target: Path) -> Iterator[IO[bytes]]:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.new")
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
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


def _add_verified(archive: tarfile.TarFile, path: Path, name: str, sha256: str) -> None:
    with path.open("rb") as stream:
        hashing = _Hashing(stream)
        archive.addfile(archive.gettarinfo(arcname=name, fileobj=stream), hashing)
    if hashing.digest.hexdigest() != sha256:
        raise IndexDamaged(
            f"{path}: the content is not what was written. Run `kb build` to make the index anew."
        )


def _corpus_files(corpus: Path) -> list[tuple[str, Path]]:
    found = [*list_files([corpus])[0], *list_lexicons([corpus])[0]]
    files = [(file.name, file.path) for file in found]
    if (corpus / TOMBSTONES).is_file():
        files.append((TOMBSTONES, corpus / TOMBSTONES))
    return files


def _extract(source: Path, folder: Path) -> str:
    """Unpack a backup into `folder`; the id of its generation. Nothing but plain files, and only below the folder."""
    found = set()
    try:
        with tarfile.open(source, "r:*") as archive:
            for member in archive:
                parts = PurePosixPath(member.name).parts
                if (
                    not member.isreg()
                    or len(parts) < 3
                    or parts[0] not in ("generation", "corpora")
                    or any(part in ("..", "/") for part in parts)
                ):
                    raise KbError(f"{source}: is not a backup: it holds {member.name!r}.")
                path = folder.joinpath(*parts)
                path.parent.mkdir(parents=True, exist_ok=True)
                content = archive.extractfile(member)
                assert content is not None
                with path.open("wb") as file:
                    shutil.copyfileobj(content, file, _BLOCK_BYTES)
                if parts[0] == "generation":
                    found.add(parts[1])
    except (tarfile.TarError, EOFError) as error:
        raise KbError(f"{source}: is not a whole backup ({error}).") from error
    if len(found) != 1:
        raise KbError(f"{source}: is not a backup: it holds no generation.")
    return found.pop()


def _place(index: Path, folder: Path, staged: Path) -> None:
    """Move an unpacked generation to where it belongs, once it is verified and on disk."""
    manifest = Manifest.load(staged)
    _refuse_others(staged, manifest)
    check_files(index, staged, manifest, "full")
    fsync_files(staged, manifest)
    fsync(staged / MANIFEST)
    target = generation_path(index, staged.name)
    if target.exists():
        target.rename(folder / "replaced")  # the same, or a damaged one of that name
    staged.rename(target)
    fsync(target.parent)


def _refuse_others(folder: Path, manifest: Manifest) -> None:
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name != MANIFEST and name not in manifest.files:
            raise IndexDamaged(f"{name}: the backup's manifest knows no such file.")


def _put_corpora(staged: Path, target: Path | None) -> int:
    if target is None or not staged.is_dir():
        return 0
    corpora = sorted(staged.iterdir())
    count = 0
    for corpus in corpora:
        folder = target if len(corpora) == 1 else target / corpus.name
        for path in sorted(path for path in corpus.rglob("*") if path.is_file()):
            place = folder / path.relative_to(corpus)
            make_folder(place.parent)
            write_durably(place, path.read_bytes())
            count += 1
    return count
