"""Generations of an index: finding the live one, verifying it, and keeping it open.

    index/CURRENT                   the id of the live generation
    index/PINNED                         the same id, if a rollback made it live; valid until CURRENT names another
    index/generations/<id>/         immutable once published; `manifest.json` is written last
    index/generations/<id>/lease    readers hold a shared lock on it while the generation is open
    index/cache/verified/<id>.json  the stamps of files whose hash was right

A full check hashes every file. A quick check trusts a large file (numpy, ONNX, SQLite: none runs code) if its length,
inode and times are those of its last hash. The time of change is among them, and cannot be set back, so only damage
below the file system is missed. All other files are hashed. That includes Whoosh's table of contents, which is a
pickle: a forged pickle runs code.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Literal

from kb.schema.errors import IndexDamaged, IndexMissing
from kb.storage.disk_errors import storage_error
from kb.storage.locks import lock
from kb.storage.manifest import FILE as MANIFEST
from kb.storage.manifest import FileInfo, Manifest

PINNED_FILE = "PINNED"

Verify = Literal["quick", "full"]

_TRUST_BY_STAMP = (".npy", ".onnx", ".sqlite")
_GENERATION_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_BLOCK_BYTES = 1 << 23
"""Number of bytes read and hashed at a time. Other threads can run between two blocks."""
_REMEDY = "Run `kb build` to rebuild the index."


def current_generation(index: Path) -> str:
    """The id of the live generation. Raises IndexMissing if nothing was ever published."""
    try:
        name = (index / "CURRENT").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise IndexMissing(
            f"{index}: there is no index here. Run `kb build --index {index}`, or name another folder with --index."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise _unreadable(index / "CURRENT", error) from error
    if not _GENERATION_ID.fullmatch(name):
        raise IndexDamaged(f"{index / 'CURRENT'}: names no generation. {_REMEDY}")
    return name


def _unreadable(path: Path, error: OSError | UnicodeDecodeError) -> IndexDamaged:
    """The error for an unreadable file. A build is the remedy, unless rights are missing."""
    told = storage_error(error, path)
    why = getattr(error, "strerror", None) or error
    return IndexDamaged(str(told) if told else f"{path}: cannot be read ({why}). {_REMEDY}")


def pinned_generation(index: Path) -> str | None:
    """The id of the live generation if a rollback made it live, otherwise None."""
    try:
        pinned = (index / PINNED_FILE).read_text(encoding="ascii").strip()
        return pinned if pinned == current_generation(index) else None
    except (OSError, UnicodeDecodeError, IndexMissing, IndexDamaged):
        return None


def generations(index: Path) -> list[str]:
    """The ids of the generations on disk, newest first, damaged or not."""
    try:
        names = [path.name for path in (index / "generations").iterdir()]
    except OSError:
        return []
    return sorted(filter(_GENERATION_ID.fullmatch, names), reverse=True)


def generation_path(index: Path, generation_id: str) -> Path:
    """The folder of a generation. It may not exist."""
    return index / "generations" / generation_id


class Lease:
    """A shared lock on a generation. While it is held, the generation is not deleted."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "lease", os.O_RDONLY | os.O_CLOEXEC)
        try:
            lock(self._file, shared=True)
        except OSError:
            os.close(self._file)
            raise

    def release(self) -> None:
        """Release the lock. A second call does nothing."""
        held, self._file = self._file, -1
        if held >= 0:
            os.close(held)


def open_generation(index: Path, verify: Verify = "quick") -> tuple[Path, Manifest, Lease]:
    """Open the live generation: its folder, its manifest, and a lease that prevents its deletion.

    Raises IndexMissing, IndexFormatMismatch or IndexDamaged.
    """
    for _ in range(10):
        generation_id = current_generation(index)
        folder = generation_path(index, generation_id)
        try:
            lease = Lease(folder)
        except FileNotFoundError:
            if current_generation(index) != generation_id:
                continue  # another one was published and this one deleted in the meantime
            break
        except OSError as error:
            raise _unreadable(folder / "lease", error) from error
        if not (folder / MANIFEST).exists() and current_generation(index) != generation_id:
            lease.release()
            continue
        try:
            manifest = Manifest.load(folder)
            check_files(index, folder, manifest, verify)
        except BaseException:
            lease.release()
            raise
        return folder, manifest, lease
    raise IndexDamaged(f"{index}: the live generation {generation_id} is missing. {_REMEDY}")


def open_by_id(
    index: Path, generation_id: str, verify: Verify, spare: Callable[[str], bool] | None = None
) -> tuple[Path, Manifest, Lease]:
    """Open a generation by its id: folder, manifest and lease.

    The content of files whose names `spare` accepts is not checked. Raises IndexFormatMismatch, or IndexDamaged, also
    if there is no such generation.
    """
    folder = generation_path(index, generation_id)
    try:
        lease = Lease(folder)
    except OSError as error:
        raise _unreadable(folder / "lease", error) from error
    try:
        manifest = Manifest.load(folder)
        check_files(index, folder, manifest, verify, spare)
    except BaseException:
        lease.release()
        raise
    return folder, manifest, lease


def check_files(
    index: Path,
    folder: Path,
    manifest: Manifest,
    verify: Verify,
    spare: Callable[[str], bool] | None = None,
) -> None:
    """Raise IndexDamaged, naming the file, unless every file of the generation agrees with the manifest.

    Whoosh's folders must have no other files. The content of files that `spare` accepts is not read.
    """
    known = load_stamps(index, folder.name) if verify == "quick" else {}
    # Whoosh reads the newest table of contents in the folder, whoever wrote it.
    for path in (folder / "keyword").rglob("*"):
        if not path.is_dir() and path.relative_to(folder).as_posix() not in manifest.files:
            raise IndexDamaged(f"{path}: the manifest does not list this file. {_REMEDY}")
    stamps = {}
    suspects = []
    for name, expected in manifest.files.items():
        path = folder / name
        try:
            stamps[name] = stamp(path)
        except OSError as error:
            raise _unreadable(path, error) from error
        size = stamps[name][0]
        if size != expected.bytes:
            raise IndexDamaged(
                f"{path}: {size} bytes long, but the manifest says {expected.bytes}. {_REMEDY}"
            )
        trusted = name.endswith(_TRUST_BY_STAMP) and known.get(name) == stamps[name]
        if not trusted and not (spare is not None and spare(name)):
            suspects.append(name)
    try:
        check_hashes(folder, {name: manifest.files[name] for name in suspects})
    except IndexDamaged:
        forget_stamps(index, folder.name)  # so every later check finds the damage too
        raise
    if spare is None and stamps != known:
        save_stamps(index, folder.name, stamps)


def check_hashes(folder: Path, files: Mapping[str, FileInfo]) -> None:
    """Raise IndexDamaged, naming the first file whose hash differs. Uses two cores."""
    paths = [folder / name for name in files]
    with ThreadPoolExecutor(2) as pool:
        for path, expected, found in zip(
            paths, files.values(), pool.map(_sha256_or_error, paths), strict=True
        ):
            if isinstance(found, OSError):
                raise _unreadable(path, found) from found
            if found != expected.sha256:
                raise IndexDamaged(
                    f"{path}: the content has changed since it was written. {_REMEDY}"
                )


def read_checked(folder: Path, manifest: Manifest, path: Path) -> bytes:
    """The verified content of a file of the generation. Raises IndexDamaged."""
    expected = manifest.files.get(path.relative_to(folder).as_posix())
    if expected is None:
        raise IndexDamaged(f"{path}: the manifest does not list this file. {_REMEDY}")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    if hashlib.sha256(content).hexdigest() != expected.sha256:
        raise IndexDamaged(f"{path}: the content has changed since it was written. {_REMEDY}")
    return content


def _sha256_or_error(path: Path) -> str | OSError:
    try:
        return file_sha256(path)
    except OSError as error:
        return error


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb", buffering=0) as file:
        block = memoryview(bytearray(min(_BLOCK_BYTES, max(1, os.fstat(file.fileno()).st_size))))
        while count := file.readinto(block):
            digest.update(block[:count])
    return digest.hexdigest()


def stamp(path: Path) -> list[int]:
    """The state of a file: its length, times and inode."""
    status = path.stat()
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def load_stamps(index: Path, generation_id: str) -> dict[str, list[int]]:
    """The stamps of the generation's files when they were last hashed. Empty if none are known."""
    try:
        stamps = json.loads(_stamps_path(index, generation_id).read_bytes())
    except (OSError, ValueError):
        return {}
    return stamps if isinstance(stamps, dict) else {}


def save_stamps(index: Path, generation_id: str, stamps: dict[str, list[int]]) -> None:
    """Save the stamps of files just hashed. A failed write is not an error."""
    # Only a shortcut for the next start: a read-only folder or a full disk must not prevent an answer.
    path = _stamps_path(index, generation_id)
    temporary = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.write_text(json.dumps(stamps), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def forget_stamps(index: Path, generation_id: str) -> None:
    """Make the next check hash every file. A failure is not an error."""
    with suppress(OSError):
        _stamps_path(index, generation_id).unlink(missing_ok=True)


def _stamps_path(index: Path, generation_id: str) -> Path:
    return index / "cache" / "verified" / f"{generation_id}.json"
