"""Durable writes: every fsync, and the renames around them, that make a change outlive a power cut."""

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
    """Flush the content of a file, or the names in a folder, to disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stamp(file: Path | os.DirEntry[str]) -> tuple[int, int, int, int] | None:
    """The state of a file: times of content and of inode (ns), length, inode. None where there is no file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


@dataclass(slots=True)
class FolderTurn:
    """One turn at changing a folder: the folder's modification time in ns at its beginning and its end."""

    began_ns: int
    ended_ns: int = 0


@contextmanager
def changing(folder: Path, *, unseen: bool = False) -> Iterator[FolderTurn]:
    """Change a folder while no other process does, by a lock of the system on the folder itself.

    At the end, the folder gets a new modification time, wherever below it something has changed. A process that finds
    the time at which its own last turn ended knows that nobody else has had a turn since. An `unseen` turn keeps the
    time as it was: for a change that says nothing new of the folder's content.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        lock(handle)
        turn = FolderTurn(os.fstat(handle).st_mtime_ns)
        try:
            yield turn
        finally:
            with suppress(OSError):  # a folder of another user; what changes in it is seen later
                # Finer than the system's own clock for files, which may stand still.
                now = turn.began_ns if unseen else time.time_ns()
                os.utime(handle, ns=(now, now))
            turn.ended_ns = os.fstat(handle).st_mtime_ns
    finally:
        os.close(handle)


def write_durably(path: Path, content: bytes, mode: int | None = None) -> None:
    """Make `path` hold `content`, whole or not at all. Once this returns, a power cut does not undo it.

    The content goes into a hidden file, which then takes the name. With `mode`, nobody else may read the file at any
    time. Raises OSError, and then leaves nothing behind.
    """
    with writing_durably(path, mode) as stream:
        stream.write(content)


@contextmanager
def writing_durably(path: Path, mode: int | None = None) -> Iterator[IO[bytes]]:
    """`write_durably` of what is written to the stream in the block."""
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
    """Name the target in an error that names the hidden file, or no file at all, as a full disk does."""
    if error.filename is None or error.filename == str(temporary):
        error.filename = str(path)
        error.filename2 = None


def make_folder(path: Path) -> None:
    """Make a folder and its parents, each durably. An existing folder is no error."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    fsync(path.parent)


def remove_durably(path: Path) -> None:
    """Delete a file durably. A missing file is no error."""
    path.unlink(missing_ok=True)
    fsync(path.parent)
