"""The child process that builds (`indexer.tasks.builder`), started while tasks wait."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from kb.reporting.logs import LogFormat

logger = logging.getLogger(__name__)

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 1.0, 60.0


class BuilderProcess:
    """Starts the process when there is work, and again where it was killed. Safe to share between threads."""

    def __init__(self, index: Path, log_format: LogFormat = "text") -> None:
        """The process logs to the same stderr, in `log_format`."""
        self._index = index
        self._log_format = log_format
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._pause_s = _FIRST_PAUSE_S
        self._not_before = 0.0

    def call(self) -> None:
        """Say that there is work."""
        with self._lock:
            if self._is_running() or time.monotonic() < self._not_before:
                return
            # -P: whatever lies in the folder that this was started from is not imported.
            self._process = subprocess.Popen(  # noqa: S603
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "indexer.tasks.builder",
                    str(self._index),
                    self._log_format,
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.DEVNULL,
                start_new_session=True,  # what is of low priority is so within a session of its own
            )

    def close(self) -> None:
        """End the process, whatever it does: what it has not finished is begun again."""
        with self._lock:
            process, self._process = self._process, None
            if process is not None:
                process.kill()
                self._wait(process)

    def _is_running(self) -> bool:
        """Whether it runs; then it is told."""
        process = self._process
        if process is None:
            return False
        if process.poll() is None and process.stdin is not None:
            with suppress(BrokenPipeError):  # it is just ending: it is called again
                process.stdin.write(b"\n")
                process.stdin.flush()
            return True
        self._process = None
        self._wait(process)
        if process.returncode == 0:
            self._pause_s = _FIRST_PAUSE_S
        else:
            logger.warning(
                "the builder ended with exit code %d; started again in %.0f s",
                *(process.returncode, self._pause_s),
            )
            self._not_before = time.monotonic() + self._pause_s
            self._pause_s = min(2 * self._pause_s, _LONGEST_PAUSE_S)
        return False

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        if process.stdin is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()
        process.wait()
