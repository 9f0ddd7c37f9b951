"""The one process that changes the corpus of an index for the service.

It listens on a socket (`kb.tasks.worker_socket`) for messages (`kb.tasks.messages`) and answers a change once the
corpus has it on disk (`indexer.tasks.editor`), in milliseconds and at the priority that it was started with. The index
is built by a process of its own at low priority (`indexer.tasks.builder_process`), so that neither waits for the other.
Whoever kills either loses nothing: what was not finished is begun again.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from indexer.tasks.builder_process import BuilderProcess
from indexer.tasks.message_server import MessageServer
from indexer.tasks.reports import failure_text
from kb.reporting.logs import LogFormat, announce, configure_logging
from kb.schema.errors import KbError
from kb.tasks import worker_socket
from kb.tasks.messages import (
    CannotChange,
    GetStatus,
    NoMessage,
    Reply,
    Request,
    StandAside,
    StandingAside,
    SubmitTask,
    receive,
    send,
)
from kb.tasks.store import TaskStore

if TYPE_CHECKING:
    from indexer.tasks.editor import TaskEditor

logger = logging.getLogger("indexer.tasks.worker")  # __name__ is "__main__" in a process of its own

SWITCH_INTERVAL_S = 0.001
"""Maximum time in seconds that one request, such as a status, holds up another, such as a change."""

_LOOK_AGAIN_S = 0.05
_CALL_AGAIN_S = 0.5
_SWEEP_AGAIN_S = 600.0
WAIT_FOR_LOCK_S = 3.0
"""Time in seconds that another worker has to end, which may be just being killed."""
_AFTER_FAILURE_S = 5.0


class Builder(Protocol):
    """Builds the index for the tasks that the corpus has."""

    def call(self) -> None:
        """Say that there is work."""

    def close(self) -> None:
        """Take no further task."""


def editor_type() -> type[TaskEditor]:
    """What changes the corpus. Raises ModuleNotFoundError where its libraries are not installed."""
    from indexer.tasks.editor import TaskEditor  # noqa: PLC0415 (what it needs is not in every installation)

    return TaskEditor


def work(
    index: Path,
    *,
    idle_s: float | None = None,
    parent: int | None = None,
    stopped: threading.Event | None = None,
    log_format: LogFormat = "text",
    make_builder: Callable[[Path, LogFormat], Builder] = BuilderProcess,
    load_editor: Callable[[], type[TaskEditor]] = editor_type,
    wait_for_lock_s: float = WAIT_FOR_LOCK_S,
) -> bool:
    """Change the corpus for whoever asks, and build the index; False if another process does already.

    Ends once there has been nothing to do for `idle_s` seconds; when `stopped` is set; and at once, whatever is under
    way, when the process `parent` is not the one above any more. A child of a service that lacks what changing articles
    needs tells the status all the same, and makes room for a process that has it; any other raises
    ModuleNotFoundError.
    """
    stopped = stopped or threading.Event()
    lacks: ModuleNotFoundError | None = None
    make_editor: type[TaskEditor] | None = None
    try:
        make_editor = load_editor()
    except ModuleNotFoundError as error:
        if parent is None:
            raise
        lacks = error
    store = TaskStore(index)
    try:
        # Another may be just being killed, or looked at, or stand aside.
        deadline = time.monotonic() + wait_for_lock_s
        if make_editor is not None and store.is_worked_at():
            _ask_to_stand_aside(store.folder, wait_for_lock_s)
        while True:
            with store.working() as is_ours:
                if is_ours:
                    builder = make_builder(index, log_format)
                    editor = make_editor(index, store, builder.call) if make_editor else None
                    _Worker(index, store, builder, editor, lacks, stopped).run(idle_s, parent)
                    return True
            if time.monotonic() > deadline:
                return False
            time.sleep(_LOOK_AGAIN_S)
    finally:
        store.close()


def _ask_to_stand_aside(folder: Path, within_s: float) -> None:
    with suppress(OSError, NoMessage), worker_socket.connect(folder) as connection:
        connection.settimeout(within_s)
        send(connection, StandAside())
        receive(connection)


class _Worker:
    """The holder of the worker's lock."""

    def __init__(
        self,
        index: Path,
        store: TaskStore,
        builder: Builder,
        editor: TaskEditor | None,
        lacks: ModuleNotFoundError | None,
        stopped: threading.Event,
    ) -> None:
        """Without an `editor`, `lacks` says what it would need."""
        self._index = index
        self._store = store
        self._builder = builder
        self._editor = editor
        self._lacks = lacks
        self._stopped = stopped
        self._called = -_CALL_AGAIN_S
        self._swept = -_SWEEP_AGAIN_S

    def run(self, idle_s: float | None, parent: int | None) -> None:
        # Listening first: what comes in meanwhile waits its turn.
        server = MessageServer(
            worker_socket.listen(self._store.folder), self._reply, self._answered
        )
        try:
            if self._editor is not None:
                self._editor.resume_all()
            server.start()
            if self._editor is not None and idle_s != 0:
                threading.Thread(target=self._editor.warm_up, name="warm-up", daemon=True).start()
            self._attend(server, idle_s, parent)
        finally:
            server.close()
            self._builder.close()

    def _attend(self, server: MessageServer, idle_s: float | None, parent: int | None) -> None:
        busy = time.monotonic()
        while not self._stopped.is_set():
            if parent is not None and os.getppid() != parent:
                os._exit(0)  # nobody is there to work for
            try:
                has_work = self._tend()
            except (OSError, sqlite3.Error):  # a full disk, say
                logger.exception("looking after the tasks failed")
                self._stopped.wait(_AFTER_FAILURE_S)
                continue
            if has_work or server.is_busy:
                busy = time.monotonic()
            elif idle_s is not None and time.monotonic() - busy >= idle_s:
                break
            self._stopped.wait(_LOOK_AGAIN_S)

    def _tend(self) -> bool:
        """See to it that what waits is built and what is old is deleted; whether something waits."""
        now = time.monotonic()
        has_work = self._editor is not None and self._store.has_work()
        if has_work and now - self._called > _CALL_AGAIN_S:
            self._called = now
            self._builder.call()  # for what an earlier worker left; or it was killed
        if now - self._swept > _SWEEP_AGAIN_S:
            self._swept = now
            self._store.sweep()
        return has_work

    def _reply(self, request: Request) -> Reply:
        match request:
            case SubmitTask() if self._editor is not None:
                return self._editor.submit(request)
            case GetStatus():
                from indexer.tasks.status_reply import status_reply  # noqa: PLC0415 (loads much that a change need not wait for)

                return status_reply(self._index, self._store)
            case StandAside():
                return StandingAside(self._editor is None)
            case _:
                name = self._lacks.name if self._lacks else None
                return CannotChange(
                    f"The service is installed without {name}, which changing articles needs: install "
                    "'sectioned-kb[indexing]', or run `kb work` where that is installed."
                )

    def _answered(self, request: Request) -> None:
        if isinstance(request, SubmitTask):
            self._store.discard(request.task_id)
        elif isinstance(request, StandAside) and self._editor is None:
            self._stopped.set()


def _main(index: Path, parent: int, log_format: LogFormat) -> int:
    """Work for the service that started this process; the exit code."""
    configure_logging("info", log_format)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        if not work(index, parent=parent, log_format=log_format):
            announce(f"Another process works at the tasks of {index}.")
    except (KbError, OSError, sqlite3.Error) as error:
        logger.error("the worker ended: %s", failure_text(error))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(
        _main(Path(sys.argv[1]), int(sys.argv[2]), "json" if sys.argv[3:] == ["json"] else "text")
    )
