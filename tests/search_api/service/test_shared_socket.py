"""One listener of several processes: a burst of connections is not one process's alone."""

from __future__ import annotations

import asyncio
import socket
from contextlib import ExitStack
from typing import Any

import pytest

from search_api.service.shared_socket import SharedSocket


def test_a_look_takes_one_of_the_connections_that_wait() -> None:
    with ExitStack() as opened:
        listener = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        shared = opened.enter_context(SharedSocket.of(listener))
        clients = [
            opened.enter_context(socket.create_connection(listener.getsockname())) for _ in range(3)
        ]
        for client in clients:
            taken, address = shared.accept()
            opened.enter_context(taken)
            assert address == client.getsockname()
            with pytest.raises(BlockingIOError):
                shared.accept()


def test_asyncio_serves_all_of_a_burst_through_it() -> None:
    async def burst() -> list[bytes]:
        async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"here")
            writer.close()
            await writer.wait_closed()

        async def ask(address: Any) -> bytes:
            reader, writer = await asyncio.open_connection(*address)
            found = await reader.read()
            writer.close()
            await writer.wait_closed()
            return found

        with socket.create_server(("127.0.0.1", 0)) as listener:
            shared = SharedSocket.of(listener)
            async with await asyncio.start_server(answer, sock=shared):
                return await asyncio.gather(*(ask(listener.getsockname()) for _ in range(20)))

    assert asyncio.run(burst()) == [b"here"] * 20
