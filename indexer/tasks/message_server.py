"""A socket server that answers each request in a thread of its own."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable

from kb.tasks.messages import NoMessage, Reply, Request, WorkerFailed, receive, send

logger = logging.getLogger(__name__)

_REQUEST_WITHIN_S = 30.0


class MessageServer:
    """Answers requests by `handle`. `answered` is called after each, whether the reply arrived or not."""

    def __init__(
        self,
        listener: socket.socket,
        handle: Callable[[Request], Reply],
        answered: Callable[[Request], None],
    ) -> None:
        self._listener = listener
        self._handle = handle
        self._answered = answered
        self._thread = threading.Thread(target=self._accept, name="messages", daemon=True)
        self._lock = threading.Lock()
        self._at_work = 0

    @property
    def is_busy(self) -> bool:
        """Whether a request is being answered."""
        return self._at_work > 0

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Take no more requests, and stop listening."""
        self._listener.shutdown(socket.SHUT_RDWR)
        if self._thread.is_alive():
            self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:  # it was shut down
                return
            with self._lock:
                self._at_work += 1
            threading.Thread(
                target=self._answer, args=(connection,), name="request", daemon=True
            ).start()

    def _answer(self, connection: socket.socket) -> None:
        try:
            with connection:
                connection.settimeout(_REQUEST_WITHIN_S)
                request = receive(connection)
                if isinstance(request, Request):
                    try:
                        send(connection, self._reply(request))
                    finally:
                        self._answered(request)
        except (OSError, NoMessage):
            pass  # who asked has gone
        finally:
            with self._lock:
                self._at_work -= 1

    def _reply(self, request: Request) -> Reply:
        try:
            return self._handle(request)
        except Exception as error:
            logger.exception("a request failed")
            return WorkerFailed(f"The worker failed ({type(error).__name__}); its log says where.")
