"""A server that answers what a test tells it to, and both clients behind one way to ask."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from kb.client import AsyncClient, Client, RetryPolicy

Ask = Callable[..., Any]
QUICK = RetryPolicy(base_s=0.001)


class Scripted:
    """Answers each connection with the next of the answers given, and closes it; the last one goes on for ever.

    An answer is sent as it is; of a tuple, the last part is sent again and again while the other side listens. None:
    the connection is closed without one.
    """

    def __init__(self) -> None:
        self.answers: list[bytes | tuple[bytes, bytes] | None] = []
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def close(self) -> None:
        self._done.set()
        with socket.create_connection(self._listener.getsockname()):
            self._thread.join()
        self._listener.close()

    def _serve(self) -> None:
        while True:
            connection, _ = self._listener.accept()
            with connection:
                if self._done.is_set():
                    return
                self.requests.append(_request(connection))
                answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
                if isinstance(answer, tuple):
                    self._drip(connection, *answer)
                elif answer is not None:
                    connection.sendall(answer)

    def _drip(self, connection: socket.socket, head: bytes, drop: bytes) -> None:
        try:
            connection.sendall(head)
            while not self._done.wait(0.02):
                connection.sendall(drop)
        except OSError:
            pass  # the other side has gone


def _request(connection: socket.socket) -> bytes:
    """One request, as far as its Content-Length goes."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (
            int(line[15:])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length:")
        ),
        0,
    )
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def answer(status: int, body: bytes = b"", *headers: str) -> bytes:
    """An HTTP answer, byte for byte."""
    lines = [
        f"HTTP/1.1 {status} Told",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *headers,
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


@pytest.fixture
def scripted() -> Iterator[Scripted]:
    server = Scripted()
    yield server
    server.close()


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Asks the service at `url` by the method `name` of a new client, of either kind."""

    def sync(url: str, name: str, *arguments: Any, client: Any = None, **named: Any) -> Any:
        with Client(url, **{"retry": QUICK, **(client or {})}) as opened:
            return getattr(opened, name)(*arguments, **named)

    async def opened_async(url: str, name: str, arguments: Any, client: Any, named: Any) -> Any:
        async with AsyncClient(url, **{"retry": QUICK, **(client or {})}) as opened:
            return await getattr(opened, name)(*arguments, **named)

    def awaited(url: str, name: str, *arguments: Any, client: Any = None, **named: Any) -> Any:
        return asyncio.run(opened_async(url, name, arguments, client, named))

    return sync if request.param == "sync" else awaited
