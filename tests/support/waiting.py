"""Given what should come true soon, wait for it, and fail where it does not."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def until(condition: Callable[[], T | None], within_s: float = 60, every_s: float = 0.02) -> T:
    """The first true value of `condition`. Fails with its last value after `within_s` seconds."""
    deadline = time.monotonic() + within_s
    while not (found := condition()):
        assert time.monotonic() < deadline, f"{found!r} after {within_s} s"
        time.sleep(every_s)
    return found
