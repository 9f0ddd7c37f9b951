"""Requests to the worker (`kb.tasks.messages`), sent again to the next worker where one dies."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable
from pathlib import Path

from kb.schema.errors import WorkerMissing
from kb.tasks import worker_socket
from kb.tasks.messages import (
    HEAD_BYTES,
    CannotChange,
    GetStatus,
    NoMessage,
    Reply,
    Request,
    decode,
    encode,
    length_of,
)
from kb.tasks.store import FOLDER, MAX_ATTEMPTS
from search_api.state.worker_process import WorkerProcess

MAX_UNATTENDED_S = 30.0
"""Seconds without a worker after which a request fails."""
_LOOK_AGAIN_S = 0.03


class WorkerClient:
    """Sends requests to the worker, and has the worker started where it does not answer."""

    def __init__(self, index: Path, worker: WorkerProcess) -> None:
        self._folder = index / FOLDER
        self._worker = worker
        self._one_status = asyncio.Lock()

    async def ask(self, request: Request, sending: Callable[[], None] = lambda: None) -> Reply:
        """The worker's reply. A request whose worker dies is sent again to the next one; a second time does no harm.

        `sending` is called right before a worker gets the request. Raises WorkerMissing if there is no worker for
        `MAX_UNATTENDED_S`, or where this request makes each worker die.
        """
        attended = time.monotonic()
        broken = 0
        while True:
            try:
                connection = worker_socket.connect(self._folder)
            except OSError:
                self._worker.wake()
            else:
                try:
                    return await self._exchange(connection, request, sending)
                except (OSError, EOFError, NoMessage):
                    attended = time.monotonic()
                    broken += 1
            if broken >= MAX_ATTEMPTS or time.monotonic() - attended > MAX_UNATTENDED_S:
                raise WorkerMissing
            await asyncio.sleep(_LOOK_AGAIN_S)

    async def ask_status(self) -> Reply:
        """How the index stands. Requests at the same time wait for each other: each reads the whole corpus."""
        async with self._one_status:
            return await self.ask(GetStatus())

    async def _exchange(
        self, connection: socket.socket, request: Request, sending: Callable[[], None]
    ) -> Reply:
        reader, writer = await asyncio.open_unix_connection(sock=connection)
        try:
            sending()
            writer.write(encode(request))
            await writer.drain()
            reply = decode(
                await reader.readexactly(length_of(await reader.readexactly(HEAD_BYTES)))
            )
        finally:
            writer.close()
        if isinstance(reply, CannotChange):
            raise WorkerMissing(reply.detail)
        if not isinstance(reply, Reply):
            raise NoMessage("a request in place of a reply")
        return reply
