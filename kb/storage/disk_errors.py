"""Given an error of the disk, what is wrong in one sentence: no room, a place that may only be read, missing rights.

Libraries wrap such an error in others of their own, or give it without a file's name; SQLite and numpy have their own.
"""

from __future__ import annotations

import errno
import os
import pwd
import re
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from kb.schema.errors import NoRoom, StorageError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_RIGHTS = (errno.EACCES, errno.EPERM)
_PRIMARY = 0xFF
"""SQLite's extended codes hold the primary one in their last byte."""
_SQLITE_ERRNO = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_PERM: errno.EACCES,
}
_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")
"""What numpy says where it wrote less than it was to, without an error number."""
_NOTHING_FREE = 1 << 20


def storage_error(
    error: BaseException, place: Path | str | None = None, needed: int | None = None
) -> StorageError | None:
    """What is wrong with the disk, where it is that which `error` or what it arose from tells; else None.

    `place` is where the work writes, and stands for every file in it; another file that the error names is named as it
    is. `needed` are the bytes that the work takes there, where that is known.
    """
    for cause in _causes(error):
        code = _code(cause, place)
        where = _where(cause, place)
        if code is None or where is None:
            continue
        if code in _FULL:
            return NoRoom(_no_room(where, needed, os.strerror(code)))
        if code == errno.EROFS and not _is_mounted_read_only(where):
            code = errno.EACCES
        if code == errno.EROFS:
            return StorageError(
                f"{where}: {os.strerror(code)}. Mount it for writing, or run this where it may be written."
            )
        if code in _RIGHTS:
            return StorageError(f"{where}: {os.strerror(code)}. {_whose(where)}")
    return None


@contextmanager
def telling(place: Path | str, needed: int | None = None) -> Iterator[None]:
    """Have errors of the disk raised as StorageError, as `storage_error` tells them; all others pass."""
    try:
        yield
    except (OSError, sqlite3.Error, StorageError) as error:
        told = storage_error(error, place, needed)
        if told is None:
            raise
        raise told from error


def check_room(place: Path, needed: int) -> None:
    """Raise NoRoom where the file system of `place`, which need not be there yet, has less than `needed` bytes free."""
    free = free_bytes(place)
    if free is not None and free < needed:
        raise NoRoom(_no_room(place, needed, "no room"))


def check_writable(place: Path) -> None:
    """Raise StorageError where nothing may be written in a folder, or where it would have to be made."""
    folder = _nearest(place)
    if not os.access(folder, os.W_OK):
        code = errno.EROFS if _is_mounted_read_only(folder) else errno.EACCES
        raise storage_error(OSError(code, "", str(place))) or StorageError(str(place))


def free_bytes(place: Path) -> int | None:
    """How many bytes may still be written there, as far as the system tells: it knows of no quota."""
    with suppress(OSError):
        return shutil.disk_usage(_nearest(place)).free
    return None


def size_in_words(count: int) -> str:
    """A number of bytes in MB or GB, rounded as one would say it."""
    if count >= 9.95e9:
        return f"{count / 1e9:,.0f} GB"
    if count >= 1e9:
        return f"{count / 1e9:.1f} GB"
    return f"{count / 1e6:.0f} MB" if count >= 9.95e6 else f"{count / 1e6:.1f} MB"


def _no_room(place: Path, needed: int | None, what: str) -> str:
    free = free_bytes(place)
    there = [f"about {size_in_words(needed)} are needed"] if needed is not None else []
    there += [f"{size_in_words(free)} are free"] if free is not None else []
    told = f": {' and '.join(there)}" if there else ""
    return f"{place}: {what}{told}. Make room there, then run this again."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error, and those that it arose from."""
    seen: list[BaseException] = []
    queue = [error]
    while queue:
        cause = queue.pop(0)
        if any(cause is each for each in seen):
            continue
        seen.append(cause)
        yield cause
        context = None if cause.__suppress_context__ else cause.__context__
        queue += [each for each in (cause.__cause__, context) if each is not None]
        if isinstance(cause, BaseExceptionGroup):
            queue += cause.exceptions


def _where(error: BaseException, place: Path | str | None) -> Path | None:
    named = getattr(error, "filename", None)
    if not isinstance(named, str | bytes | Path):
        return Path(place) if place is not None else None
    file = Path(os.fsdecode(named))
    if place is not None and file.absolute().is_relative_to(Path(place).absolute()):
        return Path(place)
    return file


def _code(error: BaseException, place: Path | str | None) -> int | None:
    """The system's error number, also of what SQLite, numpy and shutil raise."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & _PRIMARY in _SQLITE_ERRNO:
            return _SQLITE_ERRNO[code & _PRIMARY]
        return _refused(place)  # "unable to open", "disk I/O error": only the place tells why
    if isinstance(error, shutil.Error) and error.args and isinstance(error.args[0], list):
        # A list of (source, target, reason), the reason a text.
        reasons = " ".join(str(each[-1]) for each in error.args[0])
        known = (*_FULL, errno.EROFS, *_RIGHTS)
        return next((code for code in known if os.strerror(code) in reasons), None)
    if not isinstance(error, OSError):
        return None
    if error.errno is None and _CUT_SHORT.search(str(error)):
        return _refused(place)
    return error.errno


def _refused(place: Path | str | None) -> int | None:
    """Why nothing could be written there, as far as a look at the place tells."""
    if place is None:
        return None
    free = free_bytes(Path(place))
    if free is not None and free < _NOTHING_FREE:
        return errno.ENOSPC
    if not os.access(_nearest(Path(place)), os.W_OK):
        return errno.EROFS
    return None


def _is_mounted_read_only(place: Path) -> bool:
    """Whether its file system is, rather than rights missing."""
    try:
        return bool(os.statvfs(_nearest(place)).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _nearest(place: Path) -> Path:
    """The place itself, or the nearest folder above it that is there."""
    place = Path(os.path.abspath(place))  # noqa: PTH100  (links stay as they are)
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    return place


def _whose(place: Path) -> str:
    """Who may do it, and what to do."""
    user = _name(os.geteuid())
    barrier = _barrier(place)
    owner = ""
    with suppress(OSError):
        owner = _name(barrier.stat().st_uid)
    if not owner or owner == user:
        return f"Give {user} the right to {barrier}, by chmod for instance, then run this again."
    return f"{barrier} belongs to {owner}, and {user} runs this: run it as {owner}, or give {user} the right to it."


def _barrier(place: Path) -> Path:
    """What keeps from reading or writing the place: the first folder on the way that may not be entered, or the end."""
    end = _nearest(place)
    for folder in reversed(end.parents):
        if not os.access(folder, os.X_OK):
            return folder
    if end.is_file() and os.access(end, os.R_OK | os.W_OK):
        return end.parent  # where another is to take its place
    return end


def _name(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
