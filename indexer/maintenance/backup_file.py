"""The tar file of a backup: its parts, and how files are put in and taken out.

`generation/<id>/...` is the live generation as it lies on disk. `corpora/<number>/...` are the files of each corpus
with the records of removals and ids, and `corpora.json` has their SHA-256. `beside/...` is what only the index knows:
the weights of `kb tune`, the removed articles, so that no older backup brings one back, and a rollback that holds.
Embeddings are left out: they are many times as large, and can be computed again.
"""

from __future__ import annotations

import hashlib
import io
import lzma
import shutil
import tarfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from kb.ranking import tuned_weights
from kb.schema.errors import IndexDamaged, KbError
from kb.storage.generation import PINNED_FILE
from kb.storage.open_newest import REMOVED_FILE, removed_articles

INDEX_FILES = (tuned_weights.FILE, REMOVED_FILE, PINNED_FILE)
CORPORA_FOLDER = "corpora"
HASHES_FILE = "corpora.json"

_BLOCK_BYTES = 1 << 20
_REMEDY = "name a file that `kb backup` wrote, or fetch this one again."


@dataclass(frozen=True, slots=True)
class IndexRecords:
    """What an index records outside its generations."""

    tuning: tuned_weights.Tuning | None
    removed: frozenset[str]
    pinned: str | None
    """The id of the generation that a rollback made live."""

    @classmethod
    def load(cls, folder: Path) -> IndexRecords:
        """Read it. Raises TuningDamaged and IndexDamaged."""
        pin = folder / PINNED_FILE
        pinned = pin.read_text(encoding="ascii", errors="replace").strip() if pin.exists() else None
        return cls(tuned_weights.load(folder), removed_articles(folder), pinned)


class _Hashing:
    """A file that is hashed as it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._stream.read(size)
        self.digest.update(content)
        return content


def add(archive: tarfile.TarFile, path: Path, name: str) -> str:
    """Put a file into the archive; the SHA-256 of what was put there."""
    with path.open("rb") as stream:
        hashing = _Hashing(stream)
        archive.addfile(archive.gettarinfo(arcname=name, fileobj=stream), hashing)
    return hashing.digest.hexdigest()


def add_bytes(archive: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    archive.addfile(info, io.BytesIO(content))


def add_verified(archive: tarfile.TarFile, path: Path, name: str, sha256: str) -> None:
    if add(archive, path, name) != sha256:
        raise IndexDamaged(
            f"{path}: the content is not what was written. Run `kb build` to rebuild the index."
        )


def extract(source: Path, folder: Path) -> str:
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
        return len(parts) == 2 and parts[1] in INDEX_FILES
    if len(parts) == 1:
        return parts[0] == HASHES_FILE
    return (
        len(parts) > 2
        and parts[0] in ("generation", CORPORA_FOLDER)
        and not any(part in ("..", "/") for part in parts)
    )
