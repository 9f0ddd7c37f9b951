"""Given bytes or a file, what makes them outlive a power cut: every fsync, and the renames around them."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO


def fsync(path: Path) -> None:
    """Have the content of a file, or the names in a folder, on disk."""
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stamp(file: Path | os.DirEntry[str]) -> tuple[int, int, int, int] | None:
    """What tells two states of a file apart: times of content and of inode (ns), length, inode; None without a file."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino


@dataclass(slots=True)
class FolderTurn:
    """One turn at changing a folder: the folder's time of modification in ns when it began, and when it ended."""

    began_ns: int
    ended_ns: int = 0


@contextmanager
def changing(folder: Path, *, unseen: bool = False) -> Iterator[FolderTurn]:
    """One change of a folder at a time: a lock of the system on the folder itself, which a dead process holds not.

    At the end the folder gets a new time of modification, wherever below it something was changed. So whoever finds
    the time at which its own last turn ended knows that nobody else has had a turn since. A turn that is `unseen`
    leaves the time as it was: for what says nothing new of the folder's content.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
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
    """Make `path` hold `content`, whole or not at all: once this returns, a power cut does not undo it.

    The content goes into a hidden file beside it, which then takes the name; with `mode`, nobody else may read it at
    any time. Raises OSError; then nothing is left.
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
    """Have the error name the file that was to be written: not the hidden one, or, as of a full disk, none at all."""
    if error.filename is None or error.filename == str(temporary):
        error.filename = str(path)
        error.filename2 = None


def make_folder(path: Path) -> None:
    """Make a folder and its parents, each durably; none is an error that is there."""
    if path.is_dir():
        return
    make_folder(path.parent)
    path.mkdir(exist_ok=True)
    fsync(path.parent)


def remove_durably(path: Path) -> None:
    """Delete a file for good. One that is not there is no error."""
    path.unlink(missing_ok=True)
    fsync(path.parent)
