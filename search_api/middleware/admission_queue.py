"""The queue for a bounded number of requests at work: first come, first served."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress


class QueueFull(Exception):
    """As many requests wait as may wait: one more would only make all of them wait longer."""


class AdmissionQueue:
    """At most `capacity` requests at work and `max_waiting` in the queue.

    For one event loop. Nothing here blocks a thread.
    """

    def __init__(self, capacity: int, max_waiting: int) -> None:
        self._free = capacity
        self._max_waiting = max_waiting
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.capacity = capacity

    @property
    def active(self) -> int:
        """Number of requests at work."""
        return self.capacity - self._free

    @property
    def waiting(self) -> int:
        """Number of requests in the queue."""
        return len(self._waiting)

    @property
    def is_full(self) -> bool:
        """Whether the next request would be refused."""
        return self._free == 0 and len(self._waiting) >= self._max_waiting

    def acquire(self) -> asyncio.Future[None] | None:
        """Take a place at once (None), or a ticket for the queue: a future that is done once there is a place.

        A request that stops waiting calls `cancel` with its ticket; one that had a place calls `release`. Raises
        `QueueFull`.
        """
        if self._free:
            self._free -= 1
            return None
        if len(self._waiting) >= self._max_waiting:
            raise QueueFull
        ticket = asyncio.get_running_loop().create_future()
        self._waiting.append(ticket)
        return ticket

    def cancel(self, ticket: asyncio.Future[None]) -> None:
        """Leave the queue. A place that the ticket has got in the meantime is released."""
        if ticket.done() and not ticket.cancelled():
            self.release()
            return
        ticket.cancel()
        with suppress(ValueError):  # a cancelled ticket may have been passed over already
            self._waiting.remove(ticket)

    def release(self) -> None:
        """Give the place to the next request in the queue."""
        while self._waiting:
            ticket = self._waiting.popleft()
            if not ticket.done():
                ticket.set_result(None)
                return
        self._free += 1
