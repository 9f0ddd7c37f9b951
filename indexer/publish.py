"""Given a finished generation, make it the live one; and sweep up what is no longer needed.

The order of fsync is what makes a publication survive a power cut: the files, the generation's folder, the manifest
(last, so that a folder with a manifest is whole), the rename into `generations/`, the rename of CURRENT, the index
folder.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kb.errors import BuildInProgress, IndexUnusable
from kb.generation import current_generation, file_sha256, generation_path
from kb.manifest import FILE as MANIFEST
from kb.manifest import FileInfo, Manifest

KEPT_GENERATIONS = 2
_BUILDING = ".building"


@contextmanager
def writer_lock(index: Path) -> Iterator[None]:
    """Be the only writer of this index. Raises BuildInProgress; a process that died holds nothing."""
    index.mkdir(parents=True, exist_ok=True)
    with (index / "lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            holder = file.read().strip() or "unknown"
            raise BuildInProgress(
                f"{index}: another build is at work (process {holder}). Wait for it to end."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


@contextmanager
def building_folder(index: Path) -> Iterator[Path]:
    """An empty folder to build in, on the index's own file system; gone afterwards unless it was published."""
    generations = index / "generations"
    generations.mkdir(parents=True, exist_ok=True)
    for leftover in generations.glob(f"{_BUILDING}*"):
        shutil.rmtree(leftover, ignore_errors=True)
    folder = generations / f"{_BUILDING}-{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def file_infos(folder: Path) -> dict[str, FileInfo]:
    """Length and SHA-256 of every file in the folder, by relative POSIX path, sorted."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        path.relative_to(folder).as_posix(): FileInfo(path.stat().st_size, file_sha256(path))
        for path in files
    }


def publish(index: Path, folder: Path, manifest: Manifest) -> str:
    """Make the generation in `folder` the live one and return its id."""
    for name in manifest.files:
        _fsync(folder / name)
    for path in folder.rglob("*"):
        if path.is_dir():
            _fsync(path)
    lease = folder / "lease"
    lease.touch()
    _fsync(lease)
    (folder / MANIFEST).write_bytes(manifest.to_bytes())
    _fsync(folder / MANIFEST)
    _fsync(folder)
    generation_id = manifest.generation_id
    target = generation_path(index, generation_id)
    if not target.exists():  # else the same content was published within the same second
        folder.rename(target)
    _fsync(target.parent)
    pointer = index / ".CURRENT.new"
    pointer.write_text(f"{generation_id}\n", encoding="ascii")
    _fsync(pointer)
    pointer.replace(index / "CURRENT")
    _fsync(index)
    return generation_id


def collect(index: Path, keep: int = KEPT_GENERATIONS) -> list[str]:
    """Delete all generations but the live one and the newest others, `keep` in all; the ids of the deleted.

    One that a reader has open stays until a later collection.
    """
    try:
        live = current_generation(index)
    except IndexUnusable:
        return []
    folders = sorted(
        (
            path
            for path in (index / "generations").iterdir()
            if path.is_dir() and not path.name.startswith(".")
        ),
        key=lambda path: (path.name == live, path.name),
        reverse=True,
    )
    deleted = []
    for folder in folders[keep:]:
        if _delete_unless_open(folder):
            deleted.append(folder.name)
            (index / "cache" / "verified" / f"{folder.name}.json").unlink(missing_ok=True)
    return deleted


def _delete_unless_open(folder: Path) -> bool:
    try:
        lease = os.open(folder / "lease", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        shutil.rmtree(folder, ignore_errors=True)
        return True
    try:
        fcntl.flock(lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
        (folder / MANIFEST).unlink(
            missing_ok=True
        )  # first: without it nobody takes the folder for whole
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return False
    finally:
        os.close(lease)
    return True


def _fsync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
