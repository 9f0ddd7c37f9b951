"""`kb work`: how it shares the machine; what it does is in tests/faults/service/test_worker.py"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

AUTOGROUP = Path("/proc/self/autogroup")


@pytest.mark.skipif(not AUTOGROUP.exists(), reason="this kernel does not share by sessions")
def test_by_hand_it_leaves_the_session_of_the_shell_as_it_is(tmp_path: Path) -> None:
    """The niceness of a session holds for all that is started in it, the shell's next command too."""
    script = f'cat {AUTOGROUP}; "$@"; cat {AUTOGROUP}'
    command = [
        sys.executable,
        "-m",
        "kb",
        "work",
        "--idle",
        "0",
        "--index",
        str(tmp_path / "index"),
    ]
    done = subprocess.run(
        ["sh", "-c", script, "sh", *command],
        start_new_session=True,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    before, after = done.stdout.splitlines()
    assert before == after
