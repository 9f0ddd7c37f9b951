"""Given tasks that wait, the process that does them: `kb work`, started as a child while there is work.

The service itself builds nothing: it imports no reader and no model, answers while a build is under way, and loses
nothing if one dies. Each process of the service looks after this; only one child at a time gets to work.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

from kb.tasks import FOLDER, TaskStore

logger = logging.getLogger(__name__)

IDLE_S = 30
_LOOK_AGAIN_S = 1.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_END_S = 5.0


def kb_command(*arguments: str) -> list[str]:
    """How `kb` is run as a child, by the same Python."""
    # -P: whatever lies in the folder that the service was started from is not imported.
    return [sys.executable, "-P", "-m", "kb", *arguments]


class TaskWorker:
    """The tasks of an index and who works at them. `start` goes on with those of the time before, `close` ends the
    child, whose work the next one goes on with.

    Nothing is made in the index before there is a task: a service that only answers needs no right to write.
    """

    def __init__(self, index: Path, log_format: str = "text") -> None:
        """The child logs to the same stderr, in `log_format`."""
        self._index = index
        self._log_format = log_format
        self._lock = threading.Lock()
        self._opened: TaskStore | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._wanted = threading.Event()
        self._stopped = False
        self._pause_s = _FIRST_PAUSE_S
        self._not_before = 0.0
        self._thread = threading.Thread(target=self._run, name="task-worker", daemon=True)

    def start(self) -> None:
        """Begin to look for work, if there ever was any."""
        if (self._index / FOLDER).is_dir():
            try:
                self.store()
            except (OSError, sqlite3.Error) as error:  # a folder that may only be read
                logger.warning("the tasks cannot be opened: %s", type(error).__name__)

    def store(self) -> TaskStore:
        """The tasks. Raises OSError or sqlite3.Error where they can be kept nowhere."""
        with self._lock:
            if self._opened is None:
                self._opened = TaskStore(self._index)
                self._thread.start()
            return self._opened

    def call(self) -> None:
        """Say that there is work."""
        self._wanted.set()

    def close(self) -> None:
        """Stop looking, and end the child."""
        self._stopped = True
        self._wanted.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._opened is not None:
            self._opened.close()
        child = self._child
        if child is not None and child.poll() is None:
            child.terminate()  # at any moment: what it has not finished is begun again
            try:
                child.wait(_END_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._look()
            except Exception as error:  # a full disk, say; looking must go on
                logger.error("starting the worker failed: %s", type(error).__name__)
            self._wanted.wait(_LOOK_AGAIN_S)
            self._wanted.clear()

    def _look(self) -> None:
        if self._child is not None:
            status = self._child.poll()
            if status is None:
                return
            self._child = None
            self._ended(status)
        store, is_due = self.store(), time.monotonic() >= self._not_before
        if is_due and store.has_work() and not store.is_worked_at():
            whose = ("--index", str(self._index), "--parent", str(os.getpid()))
            how = ("--idle", str(IDLE_S), "--log-format", self._log_format)
            self._child = subprocess.Popen(  # noqa: S603
                kb_command("work", *whose, *how),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the service, which ends it
            )

    def _ended(self, status: int) -> None:
        if status == 0:
            self._pause_s = _FIRST_PAUSE_S
            return
        logger.warning(
            "the worker ended with exit code %d; started again in %.0f s", status, self._pause_s
        )
        self._not_before = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
