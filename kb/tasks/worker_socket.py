"""The Unix socket of an index's one worker, `tasks/worker.sock`.

Only the user who runs the worker may connect. The socket belongs to the holder of the worker's lock (`kb.tasks.store`),
which replaces a socket that a dead worker has left.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FILE = "worker.sock"

_BACKLOG = 256
_PATH_MAX_BYTES = 100


def listen(folder: Path) -> socket.socket:
    """Listen in that folder, in place of any former listener. For the holder of the worker's lock. Raises OSError."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        os.fchmod(listener.fileno(), 0o600)  # before there is a name: nobody else ever connects
        with _short_path(folder) as path:
            (folder / FILE).unlink(missing_ok=True)
            listener.bind(path)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def connect(folder: Path) -> socket.socket:
    """A connection to the worker. Raises OSError if no worker listens."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _short_path(folder) as path:
            connection.connect(path)
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """A path of the socket that fits into the few bytes the system allows, however deep the index lies."""
    path = str(folder / FILE)
    if len(os.fsencode(path)) <= _PATH_MAX_BYTES:
        yield path
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{FILE}"
    finally:
        os.close(handle)
