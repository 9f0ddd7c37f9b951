"""The test's end of `zygote`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from support.library import Library
from support.places import ROOT


class Workers:
    """Starts work in processes of its own, a few milliseconds each, and may kill them."""

    def __init__(self, log: Path) -> None:
        self.log = log
        self._zygote = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("zygote.py"))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "TOKENIZERS_PARALLELISM": "false",
                "OMP_NUM_THREADS": "1",
            },
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        assert self._zygote.stdin is not None
        self._zygote.stdin.close()
        self._zygote.wait(30)
        assert self._zygote.stdout is not None
        self._zygote.stdout.close()

    def run(
        self, library: Library, do: str, *, kill_after_s: float | None = None, **more: Any
    ) -> int:
        """Do it in a child; its exit status, negative for the signal that ended it."""
        order = {
            "do": do,
            "index": str(library.index),
            "corpus": str(library.corpus),
            "model": library.model,
            "log": str(self.log),
            **more,
        }
        assert self._zygote.stdin is not None
        self._zygote.stdin.write(json.dumps(order) + "\n")
        self._zygote.stdin.flush()
        pid = self._line()
        if kill_after_s is not None:
            time.sleep(kill_after_s)
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return self._line()

    def said(self) -> str:
        """What the last child printed."""
        return self.log.read_text()

    def _line(self) -> int:
        assert self._zygote.stdout is not None
        return int(json.loads(self._zygote.stdout.readline()))
