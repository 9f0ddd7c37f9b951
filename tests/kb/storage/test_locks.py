from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kb.storage.locks import lock, try_lock


@contextmanager
def opened(path: Path) -> Iterator[int]:
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        yield handle
    finally:
        os.close(handle)


@pytest.mark.parametrize(
    ("first", "second", "is_granted"),
    [(True, True, True), (True, False, False), (False, True, False), (False, False, False)],
)
def test_only_shared_locks_are_held_together(
    tmp_path: Path, first: bool, second: bool, is_granted: bool
) -> None:
    with opened(tmp_path / "lock") as one, opened(tmp_path / "lock") as other:
        lock(one, shared=first)
        assert try_lock(other, shared=second) is is_granted


def test_a_lock_ends_with_its_descriptor(tmp_path: Path) -> None:
    with opened(tmp_path / "lock") as other:
        with opened(tmp_path / "lock") as one:
            assert try_lock(one)
            assert not try_lock(other)
        assert try_lock(other)


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path: Path) -> None:
    program = (
        "import os, sys, time\n"
        "from kb.storage.locks import lock\n"
        "lock(os.open(sys.argv[1], os.O_RDWR | os.O_CREAT))\n"
        "print('locked', flush=True)\n"
        "time.sleep(60)\n"
    )
    path = tmp_path / "lock"
    child = subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE, text=True
    )
    with child, opened(path) as handle:
        assert child.stdout is not None
        assert child.stdout.readline() == "locked\n"
        assert not try_lock(handle)
        child.kill()
        child.wait()
        assert try_lock(handle)
