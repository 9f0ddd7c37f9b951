"""Given a part of a question's work, its result later: by another core where one is free, else at once.

numpy, kb.compute.kernels and faiss let go of Python's lock while they compute, so that two parts of one question
overlap. Where questions come at once there is nothing to gain: the cores are busy with these.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class Alongside:
    """One more thread, asleep until it is given something. Safe to share between threads."""

    def __init__(self) -> None:
        several = len(os.sched_getaffinity(0)) > 1
        self._thread = ThreadPoolExecutor(1, "kb-alongside") if several else None
        self._free = threading.Lock()

    def start(self, work: Callable[[], T]) -> Callable[[], T]:
        """Start `work`; what is returned waits for its result, or raises its error, as often as it is called."""
        if self._thread is not None and self._free.acquire(blocking=False):
            try:
                return self._thread.submit(self._done, work).result
            except RuntimeError:  # closed while a question is under way
                self._free.release()
        result = work()
        return lambda: result

    def _done(self, work: Callable[[], T]) -> T:
        try:
            return work()
        finally:
            self._free.release()

    def close(self) -> None:
        """Let the thread end."""
        if self._thread is not None:
            self._thread.shutdown(wait=False)
