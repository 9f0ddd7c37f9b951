"""Given more requests than can be worked on at once, who begins and who waits: first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress


class LineFull(Exception):
    """So many wait already that one more would only make all of them wait longer."""


class Line:
    """At most `places` at work and `max_waiting` in line. For one event loop; nothing here blocks a thread."""

    def __init__(self, places: int, max_waiting: int) -> None:
        self._free = places
        self._max_waiting = max_waiting
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.places = places

    @property
    def at_work(self) -> int:
        """How many have a place."""
        return self.places - self._free

    @property
    def waiting(self) -> int:
        """How many are in line."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether the next one would be turned away."""
        return self._free == 0 and len(self._waiting) >= self._max_waiting

    def enter(self) -> asyncio.Future[None] | None:
        """Take a place at once (None), or get in line: a future that is done once there is a place.

        Whoever stops waiting calls `give_up`, whoever had a place `leave`. Raises `LineFull`.
        """
        if self._free:
            self._free -= 1
            return None
        if len(self._waiting) >= self._max_waiting:
            raise LineFull
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        return turn

    def give_up(self, turn: asyncio.Future[None]) -> None:
        """Leave the line; where the place was given in the meantime, leave that."""
        if turn.done() and not turn.cancelled():
            self.leave()
            return
        turn.cancel()
        with suppress(ValueError):  # passed over already, if whoever awaited it was cancelled
            self._waiting.remove(turn)

    def leave(self) -> None:
        """Give the place to the next in line."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1
