"""Deletion of old generations and leftovers."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from kb.schema.errors import IndexFormatMismatch, IndexUnusable
from kb.storage.generation import current_generation, generation_path, generations, open_by_id
from kb.storage.locks import try_lock
from kb.storage.manifest import FILE as MANIFEST
from kb.storage.manifest import format_version

GENERATIONS_TO_KEEP = 2

READER_GRACE_S = 10.0
"""Time in seconds that a reader may take to close an older generation. A service takes a second or two."""

_LOOK_AGAIN_S = 0.02


def collect(
    index: Path, keep: int = GENERATIONS_TO_KEEP, *, keep_other_format: bool = True
) -> list[str]:
    """Delete all generations but the live one and the newest whole others, `keep` in all; the ids of the deleted.

    One that a reader has open stays until a later collection. Those of another format than the live one's go, but with
    `keep_other_format` the newest of them, since a service of the program before an upgrade has nothing else to start
    from. Nothing is deleted where nobody can say what is live.
    """
    deleted = [
        name
        for name in _not_kept(index, keep, keep_other_format=keep_other_format)
        if _delete_unless_open(generation_path(index, name))
    ]
    verified = index / "cache" / "verified"
    there = set(generations(index))
    for stamps in verified.glob("*.json"):
        if stamps.stem not in there:
            stamps.unlink(missing_ok=True)
    return deleted


def collect_and_wait(index: Path, waiting: Callable[[], None]) -> None:
    """Collect, and wait until readers have let go what is more than is kept, so that a build adds one to that.

    A generation that is still open READER_GRACE_S seconds after the next was published is held by somebody who does not
    follow the index: nobody waits for that one, and it takes its room until it is closed. `waiting` is told once. For
    the holder of the lock alone.
    """
    collect(index)
    there, now = generations(index), time.time()
    held = {
        name: min(now, _published(index, there[there.index(name) - 1])) + READER_GRACE_S
        for name in _not_kept(index, GENERATIONS_TO_KEEP)
    }
    told = False
    while held := {
        name: until
        for name, until in held.items()
        if time.time() < until and not _delete_unless_open(generation_path(index, name))
    }:
        if not told:
            waiting()
            told = True
        time.sleep(_LOOK_AGAIN_S)


def other_format(index: Path) -> str | None:
    """The newest generation whose format is not that of the live one, None if there is none."""
    try:
        return next(iter(_by_format(index, current_generation(index))[1]), None)
    except IndexUnusable:
        return None


def _not_kept(index: Path, keep: int, *, keep_other_format: bool = True) -> list[str]:
    """All generations but the live one, the newest others of its format that are whole, `keep` in all, and one that is
    of another format.

    A damaged one is kept only in the place of a whole one that is not there. None if nobody can say what is live.
    """
    try:
        live = current_generation(index)
    except IndexUnusable:
        return []
    if not generation_path(index, live).is_dir():
        return []
    others, foreign = _by_format(index, live)
    kept = max(0, keep - 1)
    if 0 < kept < len(others):
        others.sort(key=lambda name: not _is_whole(index, name))
    return others[kept:] + (foreign[1:] if keep_other_format else foreign)


def _by_format(index: Path, live: str) -> tuple[list[str], list[str]]:
    """The generations beside the live one, newest first: those of its format or of none, and those of another.

    Where the live one's cannot be told, all are of its format.
    """
    wanted = format_version(generation_path(index, live))
    own: list[str] = []
    foreign: list[str] = []
    for name in generations(index):
        if name != live:
            version = format_version(generation_path(index, name))
            (own if None in (wanted, version) or version == wanted else foreign).append(name)
    return own, foreign


def _is_whole(index: Path, generation_id: str) -> bool:
    """Whether it could answer, or was written in another format and may."""
    try:
        open_by_id(index, generation_id, "quick")[2].release()
    except IndexFormatMismatch:
        return True
    except IndexUnusable:
        return False
    return True


def _published(index: Path, generation_id: str) -> float:
    """When, as `time.time` counts; 0 where that cannot be told."""
    try:
        return (generation_path(index, generation_id) / MANIFEST).stat().st_mtime
    except OSError:
        return 0.0


def _delete_unless_open(folder: Path) -> bool:
    try:
        lease = os.open(folder / "lease", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        shutil.rmtree(folder, ignore_errors=True)
        return True
    try:
        if not try_lock(lease):
            return False
        # First: without it nobody takes the folder for whole.
        (folder / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(lease)
    return True
