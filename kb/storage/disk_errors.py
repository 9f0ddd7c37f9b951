"""Disk errors in one sentence: no space, a read-only file system, missing rights.

Libraries wrap such an error in their own errors, or leave out the file's name. SQLite and numpy have their own kinds.
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
"""Mask of SQLite's primary error code in an extended one."""
_SQLITE_ERRNO = {
    sqlite3.SQLITE_FULL: errno.ENOSPC,
    sqlite3.SQLITE_READONLY: errno.EROFS,
    sqlite3.SQLITE_PERM: errno.EACCES,
}
_CUT_SHORT = re.compile(r"\d+ requested and \d+ written")
"""numpy's message for an incomplete write. The error has no number."""
_NOTHING_FREE = 1 << 20


def storage_error(
    error: BaseException, place: Path | str | None = None, needed: int | None = None
) -> StorageError | None:
    """The disk error behind `error` or one of its causes, or None.

    `place` is the folder or file that the work writes to. It is named instead of files in it; other files are named
    themselves. `needed` is the number of bytes that the work needs there, if known.
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
                f"{where}: {os.strerror(code)}. Mount it for writing, or use another place."
            )
        if code in _RIGHTS:
            return StorageError(f"{where}: {os.strerror(code)}. {_whose(where)}")
    return None


@contextmanager
def telling(place: Path | str, needed: int | None = None) -> Iterator[None]:
    """Turn disk errors in the block into StorageError. All other errors pass."""
    try:
        yield
    except (OSError, sqlite3.Error, StorageError) as error:
        told = storage_error(error, place, needed)
        if told is None:
            raise
        raise told from error


def check_room(place: Path, needed: int) -> None:
    """Raise NoRoom if the file system of `place` has less than `needed` bytes free. `place` need not exist."""
    free = free_bytes(place)
    if free is not None and free < needed:
        raise NoRoom(_no_room(place, needed, "no room"))


def check_writable(place: Path) -> None:
    """Raise StorageError if a folder cannot be written to, or cannot be made."""
    folder = _nearest(place)
    if not os.access(folder, os.W_OK):
        code = errno.EROFS if _is_mounted_read_only(folder) else errno.EACCES
        raise storage_error(OSError(code, "", str(place))) or StorageError(str(place))


def free_bytes(place: Path) -> int | None:
    """Free bytes on the file system of `place`; None if that is unknown. Quotas are not counted."""
    with suppress(OSError):
        return shutil.disk_usage(_nearest(place)).free
    return None


def size_in_words(count: int) -> str:
    """A number of bytes in MB or GB, rounded."""
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
    return f"{place}: {what}{told}. Free some space there, then run this again."


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and its causes."""
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
    """The system's error number for an error, including those of SQLite, numpy and shutil."""
    if isinstance(error, sqlite3.Error):
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None and code & _PRIMARY in _SQLITE_ERRNO:
            return _SQLITE_ERRNO[code & _PRIMARY]
        return _refused(place)  # "unable to open", "disk I/O error": only the place shows why
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
    """The error number that the state of the place suggests, or None."""
    if place is None:
        return None
    free = free_bytes(Path(place))
    if free is not None and free < _NOTHING_FREE:
        return errno.ENOSPC
    if not os.access(_nearest(Path(place)), os.W_OK):
        return errno.EROFS
    return None


def _is_mounted_read_only(place: Path) -> bool:
    """Whether the file system is mounted read-only, as opposed to missing rights."""
    try:
        return bool(os.statvfs(_nearest(place)).f_flag & os.ST_RDONLY)
    except OSError:
        return False


def _nearest(place: Path) -> Path:
    """The place, or the nearest existing folder above it."""
    place = Path(os.path.abspath(place))  # noqa: PTH100  (links stay as they are)
    while not os.path.lexists(place) and place != place.parent:
        place = place.parent
    return place


def _whose(place: Path) -> str:
    """Which user lacks rights, and the remedy."""
    user = user_name(os.geteuid())
    barrier = _barrier(place)
    owner = ""
    with suppress(OSError):
        owner = user_name(barrier.stat().st_uid)
    if not owner or owner == user:
        return f"Give {user} access to {barrier}, for instance with chmod, then run this again."
    return f"{barrier} belongs to {owner}, but {user} runs this: run it as {owner}, or give {user} access to it."


def _barrier(place: Path) -> Path:
    """The path that blocks access: the first folder on the way that cannot be entered, or the place itself."""
    end = _nearest(place)
    for folder in reversed(end.parents):
        if not os.access(folder, os.X_OK):
            return folder
    if end.is_file() and os.access(end, os.R_OK | os.W_OK):
        return end.parent  # another file will replace it there
    return end


def user_name(user: int) -> str:
    """What the system calls a user of that number."""
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return f"user {user}"
