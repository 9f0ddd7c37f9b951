"""A listening socket from which several processes accept connections in turn.

asyncio accepts every waiting connection each time it looks. So the process that wakes first takes a whole burst, such
as a browser's or a proxy's first connections, and keeps it for as long as the connections are kept alive: one process
works and the others are idle. Here each look accepts one connection, and any process may accept the next; a busy
process looks later. That is no guarantee: where no core is free, the other processes may wake too late.
"""

from __future__ import annotations

import os
import socket
from multiprocessing.reduction import DupFd, ForkingPickler
from typing import Any


class SharedSocket(socket.socket):
    """A socket whose every second `accept` finds nothing, so that asyncio returns to its other work. Can be pickled."""

    _has_taken = False

    @classmethod
    def of(cls, listener: socket.socket) -> SharedSocket:
        """The same listener. Closing one leaves the other open."""
        family, kind, protocol = listener.family, listener.type, listener.proto
        return cls(family, kind, protocol, fileno=os.dup(listener.fileno()))

    def accept(self) -> tuple[socket.socket, Any]:
        """A connection. Raises BlockingIOError."""
        if self._has_taken:
            self._has_taken = False
            raise BlockingIOError
        accepted = super().accept()
        self._has_taken = True
        return accepted


def _in_child(descriptor: Any, family: int, kind: int, protocol: int) -> SharedSocket:
    return SharedSocket(family, kind, protocol, fileno=descriptor.detach())


def _reduced(shared: SharedSocket) -> tuple[Any, ...]:
    """Pickle the socket as multiprocessing pickles a plain one."""
    descriptor = DupFd(shared.fileno())
    return _in_child, (descriptor, shared.family, shared.type, shared.proto)


ForkingPickler.register(SharedSocket, _reduced)
