"""The worker process that changes articles, kept running beside the service (`kb work`).

The service itself changes and builds nothing: it imports no reader and no model, answers during a build, and loses
nothing if a build dies. Of all service processes that share an index, one keeps a worker running. All of them speak to
the worker by its socket (`search_api.state.worker_client`), also to a worker that was started by hand.
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

from kb.tasks.store import FOLDER, TaskStore

logger = logging.getLogger(__name__)

_LOOK_AGAIN_S = 1.0
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0
_END_S = 5.0


class WorkerProcess:
    """The tasks of an index and the process that works on them. `close` ends the worker; the next one continues its
    work.

    Nothing is written to the index, and no worker started, before the first change: a service that only answers needs
    no right to write.
    """

    def __init__(self, index: Path, log_format: str = "text") -> None:
        """The child logs to the same stderr, in `log_format`."""
        self._index = index
        self._log_format = log_format
        self._lock = threading.Lock()
        self._opened: TaskStore | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._turn: int | None = None
        self._woken = threading.Event()
        self._is_wanted = False
        self._stopped = False
        self._pause_s = _FIRST_PAUSE_S
        self._not_before = 0.0
        self._thread = threading.Thread(target=self._run, name="task-worker", daemon=True)

    def start(self, *, expects_changes: bool) -> None:
        """Start the worker, if articles were ever changed here, or if changes are to be expected."""
        if (self._index / FOLDER).is_dir() or (expects_changes and os.access(self._index, os.W_OK)):
            try:
                self.store()
                self.wake()
            except (OSError, sqlite3.Error) as error:  # a folder that may only be read
                logger.warning("the tasks cannot be opened: %s", type(error).__name__)

    def store(self) -> TaskStore:
        """The tasks. Raises OSError or sqlite3.Error where they cannot be kept."""
        with self._lock:
            if self._opened is None:
                self._opened = TaskStore(self._index)
                self._thread.start()
            return self._opened

    def wake(self) -> None:
        """Start the worker soon: it is needed, and does not answer."""
        self._is_wanted = True
        self._woken.set()

    def close(self) -> None:
        """Stop looking, and end the worker."""
        self._stopped = True
        self._woken.set()
        if self._thread.is_alive():
            self._thread.join()
        child = self._child
        if child is not None and child.poll() is None:
            child.terminate()  # at any moment: what it has not finished is begun again
            try:
                child.wait(_END_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        if self._turn is not None:
            os.close(self._turn)
        if self._opened is not None:
            self._opened.close()

    def _run(self) -> None:
        while not self._stopped:
            try:
                self._look()
            except Exception as error:  # a full disk, say; looking must go on
                logger.error("starting the worker failed: %s", type(error).__name__)
            self._woken.wait(_LOOK_AGAIN_S)
            self._woken.clear()

    def _look(self) -> None:
        """Start the worker where it is needed, none is at work, and it is this process's turn."""
        store = self.store()
        if self._child is not None:
            status = self._child.poll()
            if status is None:
                return
            self._child = None
            self._ended(status)
        is_wanted = self._is_wanted or store.has_work()
        if not is_wanted or time.monotonic() < self._not_before or store.is_worked_at():
            return
        if self._turn is None:
            self._turn = store.become_starter()
        if self._turn is None:
            return
        # -P: whatever lies in the folder that the service was started from is not imported.
        command = (sys.executable, "-P", "-m", "indexer.tasks.worker", str(self._index))
        self._child = subprocess.Popen(  # noqa: S603
            [*command, str(os.getpid()), self._log_format],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is for the service, which ends it
        )

    def _ended(self, status: int) -> None:
        if status == 0:
            self._pause_s = _FIRST_PAUSE_S
            return
        # One that was killed is started again; one that cannot work is not, until somebody asks for it.
        self._is_wanted = status < 0
        logger.warning(
            "the worker ended with exit code %d; it is restarted in %.0f s", status, self._pause_s
        )
        self._not_before = time.monotonic() + self._pause_s
        self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
