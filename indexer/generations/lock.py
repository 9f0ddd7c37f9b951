"""The lock of the only writer of an index.

An advisory lock of the system on `index/lock`: it ends with the process that holds it, however that ends. What the
file says is only for those who wait.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from kb.schema.errors import BuildInProgress
from kb.storage.disk_errors import telling
from kb.storage.durable import make_folder
from kb.storage.locks import try_lock

_LOOK_AGAIN_S = 0.1


@contextmanager
def writer_lock(
    index: Path, wait_s: float = 0.0, waiting: Callable[[str], None] | None = None
) -> Iterator[None]:
    """Be the only writer of this index, waiting up to `wait_s` seconds for another to end.

    `waiting` is told once who is waited for. Raises BuildInProgress, which names the holder.
    """
    with telling(index):
        make_folder(index)
        (index / "lock").open("a").close()
    deadline = time.monotonic() + wait_s
    while True:
        with (index / "lock").open("a+", encoding="utf-8") as file:
            if try_lock(file.fileno()) and _is_still(file, index / "lock"):
                began = datetime.now(UTC).isoformat(timespec="seconds")
                with suppress(OSError):  # of a full disk: it must be possible to make room there
                    file.truncate(0)
                    os.write(file.fileno(), f"process {os.getpid()}, since {began}\n".encode())
                yield
                return
            holder = _holder(file)
        if time.monotonic() >= deadline:
            raise BuildInProgress(
                f"{index}: another build is at work ({holder}). Wait for it to end."
            )
        if waiting is not None:
            waiting(f"{index}: another build is at work ({holder}); waiting for it to end.")
            waiting = None
        time.sleep(_LOOK_AGAIN_S)


def holder(index: Path) -> str | None:
    """Who is writing this index now, or None."""
    try:
        with (index / "lock").open("r", encoding="utf-8") as file:
            return None if try_lock(file.fileno(), shared=True) else _holder(file)
    except OSError:
        return None


def _is_still(file: IO[str], path: Path) -> bool:
    """Whether the path still names the file that is locked: somebody may have deleted it meanwhile."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _holder(file: IO[str]) -> str:
    file.seek(0)
    return file.read().strip() or "a process that has just begun"
