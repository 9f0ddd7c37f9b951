"""Durable writes: the fsyncs and renames that make a change survive a power cut."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from kb.storage.locks import lock


def fsync(path: Path) -> None:
    """Flush the content of a file, or the entries of a folder, to disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stamp(file: Path | os.DirEntry[str]) -> tuple[int, int, int, int] | None:
    """The state of a file: times of content and inode (ns), length, inode. None if there is no file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


@dataclass(slots=True)
class FolderTurn:
    """One exclusive change of a folder: the folder's modification times (ns) before and after it."""

    began_ns: int
    ended_ns: int = 0


@contextmanager
def changing(folder: Path, *, unseen: bool = False) -> Iterator[FolderTurn]:
    """Change a folder while no other process does. Takes a lock on the folder itself.

    At the end, the folder gets a new modification time. A process that finds the time at which its own last turn ended
    knows that no other process had a turn since. An `unseen` turn restores the old time: for a change that does not
    alter the articles in the folder.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        lock(handle)
        turn = FolderTurn(os.fstat(handle).st_mtime_ns)
        try:
            yield turn
        finally:
            with suppress(OSError):  # a folder of another user: its changes are noticed later
                # Finer than the system's clock for files, which may not have advanced.
                now = turn.began_ns if unseen else time.time_ns()
                os.utime(handle, ns=(now, now))
            turn.ended_ns = os.fstat(handle).st_mtime_ns
    finally:
        os.close(handle)


def write_durably(path: Path, content: bytes, mode: int | None = None) -> None:
    """Write `content` to `path`, completely or not at all. Once this returns, it survives a power cut.

    The content goes into a hidden file, which is then renamed. With a `mode`, the file never has other permissions.
    Raises OSError, and leaves no file behind then.
    """
    with writing_durably(path, mode) as stream:
        stream.write(content)


@contextmanager
def writing_durably(path: Path, mode: int | None = None) -> Iterator[IO[bytes]]:
    """The same as `write_durably`, for what the block writes to the stream."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        if mode is not None:
            temporary.touch(mode)
        with temporary.open("wb") as stream:
            yield stream
        fsync(temporary)
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            name_file(error, temporary, path)
        raise
    fsync(path.parent)


def name_file(error: OSError, temporary: Path, path: Path) -> None:
    """Name the target in an error that names the hidden file, or no file, as for a full disk."""
    if error.filename is None or error.filename == str(temporary):
        error.filename = str(path)
        error.filename2 = None


def make_folder(path: Path) -> None:
    """Make a folder and its parents durably. An existing folder is no error."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    fsync(path.parent)


def remove_durably(path: Path) -> None:
    """Delete a file durably. A missing file is no error."""
    path.unlink(missing_ok=True)
    fsync(path.parent)
