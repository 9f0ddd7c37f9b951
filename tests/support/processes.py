"""A service as a process of its own, and a client that bears a key."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from support.library import Library, markdown
from support.places import ROOT
from support.service import API, MARKDOWN


class Service:
    """A process of `kb serve`, and a client that bears a key."""

    def __init__(self, library: Library, headers: dict[str, str], workers: int = 1) -> None:
        options = ("--port", "0", "--workers", str(workers), "--index", str(library.index))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "kb_cli", "serve", *options],
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(ROOT), "KB_LOG_LEVEL": "warning"},
        )
        assert self.process.stderr is not None
        lines: list[str] = []
        while not (found := re.search(r"Serving .*on (http://\S+)", "".join(lines))):
            lines.append(self.process.stderr.readline())
            assert lines[-1], lines
        # Whatever else it says is read, lest the pipe fill up.
        self._reader = threading.Thread(target=self.process.stderr.read)
        self._reader.start()
        self.client = httpx2.Client(base_url=found[1], headers=headers, timeout=120)

    def put(self, article_id: str, word: str) -> Any:
        content = markdown(article_id, word).encode()
        return self.client.put(
            f"{API}/articles/{article_id}", content=content, headers=MARKDOWN
        ).raise_for_status()

    def end(self, how: signal.Signals) -> None:
        self.client.close()
        self.process.send_signal(how)
        self.process.wait(60)
        self._reader.join()
        assert self.process.stderr is not None
        self.process.stderr.close()


@contextmanager
def running(library: Library, headers: dict[str, str], workers: int = 1) -> Iterator[Service]:
    service = Service(library, headers, workers)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.end(signal.SIGTERM)
