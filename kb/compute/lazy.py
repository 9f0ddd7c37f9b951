"""A value that is computed when it is first needed."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Lazy(Generic[T]):
    """Keeps the result of `make`. If `make` raises, the next call tries again. Safe to share between threads."""

    def __init__(self, make: Callable[[], T]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: list[T] = []

    def __call__(self) -> T:
        """Return the value, computing it on the first call. Concurrent callers wait."""
        with self._lock:
            if not self._made:
                self._made.append(self._make())
            return self._made[0]
