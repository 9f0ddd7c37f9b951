"""Advisory locks of the operating system (`flock`) on open files and folders.

A lock belongs to an open descriptor. It ends when the descriptor is closed, so it never outlives its process.
"""

from __future__ import annotations

import fcntl


def lock(handle: int, *, shared: bool = False) -> None:
    """Wait for the lock on an open descriptor: exclusive, or shared with other shared locks."""
    fcntl.flock(handle, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)


def try_lock(handle: int, *, shared: bool = False) -> bool:
    """Try to take the lock without waiting. Returns False if a lock of another descriptor excludes it."""
    try:
        fcntl.flock(handle, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
