"""Advisory locks of the operating system (`flock`) on open files and folders.

A lock belongs to the open descriptor. It ends when that is closed, and so with its process, however the process ends.
"""

from __future__ import annotations

import fcntl


def lock(handle: int, *, shared: bool = False) -> None:
    """Wait for the lock on an open descriptor: exclusive, or shared with other holders of a shared lock."""
    fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def try_lock(handle: int, *, shared: bool = False) -> bool:
    """Take the lock at once. Returns False where another descriptor holds a lock that excludes it."""
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
