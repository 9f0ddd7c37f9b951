"""What the retrievers' tests share: questions, and a process in which anything that leaves the machine is noticed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

WATCHED = """
import sys
def watch(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo", "socket.sendto", "subprocess.Popen"):
        print("LEFT", event, *map(str, arguments), file=sys.stderr)
        if event.startswith("socket"):
            raise OSError("nothing leaves a test either")
sys.addaudithook(watch)
"""

TELL = {
    "HAYSTACK_TELEMETRY_ENABLED": "true",
    "HAYSTACK_CONTENT_TRACING_ENABLED": "true",
    "LANGSMITH_TRACING": "true",
    "LANGCHAIN_TRACING_V2": "true",
    "LANGSMITH_API_KEY": "lsv2_pt_00000000000000000000000000000000_0000000000",
    "LANGSMITH_ENDPOINT": "http://127.0.0.1:9",
}
"""What would make these libraries report, set as an unsuspecting user's environment may have it."""


@pytest.fixture
def what_left(tmp_path: Path) -> Callable[[str], tuple[str, list[str]]]:
    """Runs a script to its end in a process whose environment asks for telemetry.

    Gives what it printed, and each attempt to reach something outside it.
    """

    def run(script: str) -> tuple[str, list[str]]:
        done = subprocess.run(
            [sys.executable, "-W", "error", "-c", WATCHED + script],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **TELL, "HOME": str(tmp_path)},
        )
        assert done.returncode == 0, done.stderr
        left = [line for line in done.stderr.splitlines() if "LEFT" in line]
        return done.stdout, left

    return run
