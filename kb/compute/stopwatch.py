"""A stopwatch for the steps of some work."""

from __future__ import annotations

import time


class Stopwatch:
    """Milliseconds by step. Each `lap` measures the time since the last one."""

    def __init__(self) -> None:
        self._begun = self._last = time.perf_counter()
        self.timings: dict[str, float] = {}

    def lap(self, step: str) -> None:
        """Record the step that ends now."""
        now = time.perf_counter()
        self.timings[step] = round((now - self._last) * 1000, 3)
        self._last = now

    def total(self) -> dict[str, float]:
        """All steps and their sum, `total`."""
        return {**self.timings, "total": round((self._last - self._begun) * 1000, 3)}
