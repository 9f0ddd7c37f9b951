"""One helper thread, so that two parts of one question run on two cores.

numpy, kb.compute.kernels and faiss release Python's lock while they compute. Several questions at once gain nothing,
because the cores are busy already.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


class SpareCore:
    """A thread that sleeps until it gets work. Safe to share between threads."""

    def __init__(self) -> None:
        several = len(os.sched_getaffinity(0)) > 1
        self._thread = ThreadPoolExecutor(1, "kb-spare-core") if several else None
        self._free = threading.Lock()

    def submit(self, work: Callable[[], T]) -> Callable[[], T]:
        """Start `work` on the helper thread, or run it now if the thread is busy.

        The returned function waits for the result, or raises the error of `work`. It may be called repeatedly.
        """
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
        """Let the thread end; later work runs in the calling thread."""
        if self._thread is not None:
            self._thread.shutdown(wait=False)
