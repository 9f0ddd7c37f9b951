"""Given a listening socket, one from which several processes take connections by turns.

asyncio takes every connection that waits whenever it looks. So of a burst, such as a browser's or a proxy's first
connections, whichever process wakes first takes all, and keeps them for as long as they are kept alive: one works, the
others have nothing to do. Here a look takes one connection, and the next is anyone's; who is busy looks later. That is
no promise: where no core is free, the others may wake too late.
"""

from __future__ import annotations

import os
import socket
from multiprocessing.reduction import DupFd, ForkingPickler
from typing import Any


class SharedSocket(socket.socket):
    """Every second `accept` finds nothing, at which asyncio goes back to its other work. Can be passed to a child."""

    _has_taken = False

    @classmethod
    def of(cls, listener: socket.socket) -> SharedSocket:
        """The same listener; closing either leaves the other open."""
        family, kind, protocol = listener.family, listener.type, listener.proto
        return cls(family, kind, protocol, fileno=os.dup(listener.fileno()))

    def accept(self) -> tuple[socket.socket, Any]:
        """A connection, or BlockingIOError."""
        if self._has_taken:
            self._has_taken = False
            raise BlockingIOError
        accepted = super().accept()
        self._has_taken = True
        return accepted


def _in_child(descriptor: Any, family: int, kind: int, protocol: int) -> SharedSocket:
    return SharedSocket(family, kind, protocol, fileno=descriptor.detach())


def _reduced(shared: SharedSocket) -> tuple[Any, ...]:
    """As multiprocessing pickles a plain socket."""
    descriptor = DupFd(shared.fileno())
    return _in_child, (descriptor, shared.family, shared.type, shared.proto)


ForkingPickler.register(SharedSocket, _reduced)
