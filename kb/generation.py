"""Given an index folder, its live generation: found, checked, and held open.

    index/CURRENT                   the id of the live generation
    index/generations/<id>/         immutable once published; `manifest.json` is written last
    index/generations/<id>/lease    readers hold a shared lock on it while they have the generation open
    index/cache/verified/<id>.json  the stamps of files whose content was hashed and found right

Checking in full hashes every file. A quick check hashes what is parsed or unpickled (Whoosh's table of contents
is a pickle: a forged one runs code) and trusts a large file whose length, time and inode are those it had when it
was last hashed.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Literal

from kb.errors import IndexDamaged, IndexMissing
from kb.manifest import FILE as MANIFEST
from kb.manifest import Manifest

Verify = Literal["quick", "full"]

_TRUST_BY_STAMP = (".npy", ".onnx", ".sqlite")
_GENERATION_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")
_REMEDY = "Run `kb build` to make the index anew."


def current_generation(index: Path) -> str:
    """The id of the live generation. Raises IndexMissing where nothing was ever published."""
    try:
        name = (index / "CURRENT").read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise IndexMissing(
            f"{index}: there is no index here. Run `kb build --index {index}`, or name another folder with --index."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise IndexDamaged(f"{index / 'CURRENT'}: cannot be read ({error}). {_REMEDY}") from error
    if not _GENERATION_ID.fullmatch(name):
        raise IndexDamaged(f"{index / 'CURRENT'}: names no generation. {_REMEDY}")
    return name


def generation_path(index: Path, generation_id: str) -> Path:
    """The folder of a generation, whether it exists or not."""
    return index / "generations" / generation_id


class Lease:
    """A shared lock on a generation: while it is held, the generation is not deleted."""

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "lease", os.O_RDONLY | os.O_CLOEXEC)
        try:
            fcntl.flock(self._file, fcntl.LOCK_SH)
        except OSError:
            os.close(self._file)
            raise

    def release(self) -> None:
        """Let go. Doing so again does nothing."""
        held, self._file = self._file, -1
        if held >= 0:
            os.close(held)


def open_generation(index: Path, verify: Verify = "quick") -> tuple[Path, Manifest, Lease]:
    """The live generation's folder, its manifest, and the lease that keeps it there.

    Raises IndexMissing, IndexFormatMismatch or IndexDamaged.
    """
    for _ in range(10):
        generation_id = current_generation(index)
        folder = generation_path(index, generation_id)
        try:
            lease = Lease(folder)
        except FileNotFoundError:
            if current_generation(index) != generation_id:
                continue  # published anew, and the old one collected, between the two looks
            break
        except OSError as error:
            raise IndexDamaged(
                f"{folder / 'lease'}: cannot be opened ({error.strerror}). {_REMEDY}"
            ) from error
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
    raise IndexDamaged(f"{index}: the live generation {generation_id} is not there. {_REMEDY}")


def check_files(index: Path, folder: Path, manifest: Manifest, verify: Verify) -> None:
    """Raise IndexDamaged, naming the file, unless every file of the generation is what the manifest says,
    and Whoosh's folder holds no other."""
    stamps_path = index / "cache" / "verified" / f"{folder.name}.json"
    known = _load_stamps(stamps_path) if verify == "quick" else {}
    # Whoosh takes the newest table of contents that lies there, whoever wrote it.
    for path in (folder / "keyword").glob("*"):
        if f"keyword/{path.name}" not in manifest.files:
            raise IndexDamaged(f"{path}: the manifest knows no such file. {_REMEDY}")
    stamps = {}
    for name, expected in manifest.files.items():
        path = folder / name
        try:
            status = path.stat()
        except OSError as error:
            raise IndexDamaged(f"{path}: cannot be read ({error.strerror}). {_REMEDY}") from error
        if status.st_size != expected.bytes:
            raise IndexDamaged(
                f"{path}: {status.st_size} bytes long where the manifest says {expected.bytes}. {_REMEDY}"
            )
        stamp = [status.st_size, status.st_mtime_ns, status.st_ino]
        trusted = name.endswith(_TRUST_BY_STAMP) and known.get(name) == stamp
        if not trusted and file_sha256(path) != expected.sha256:
            raise IndexDamaged(f"{path}: the content is not what was written. {_REMEDY}")
        stamps[name] = stamp
    if stamps != known:
        _save_stamps(stamps_path, stamps)


def file_sha256(path: Path) -> str:
    """The SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _load_stamps(path: Path) -> dict[str, list[int]]:
    try:
        stamps = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return stamps if isinstance(stamps, dict) else {}


def _save_stamps(path: Path, stamps: dict[str, list[int]]) -> None:
    # Only a short cut for the next start: a read-only folder or a full disk must not stop an answer.
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_suffix(f".{os.getpid()}.tmp")
        temporary.write_text(json.dumps(stamps), encoding="utf-8")
        temporary.replace(path)
    except OSError:
        pass
