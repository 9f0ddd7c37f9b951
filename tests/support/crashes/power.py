"""What a power cut may leave on disk: a record of what was synced when, and crash images made from it.

Killing a process tests none of this: what it wrote is in the system's memory and arrives. Here a disk is assumed that
keeps what an fsync was asked for, and does as it likes with everything else:

- A folder comes back as it was at some moment since its last fsync.
- A file's content that was not synced comes back as it was at the last fsync, empty, as zeros, halved, with a flipped
  bit, or whole. Of SQLite's log, which is only appended to, this holds for what was appended since.

SQLite syncs by itself, unseen from here. A commit of the tasks counts as a sync of their log where the connection asks
SQLite for that (`synchronous = FULL`): that SQLite then does it, its own tests show.
"""

from __future__ import annotations

import os
import random
import sqlite3
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from kb.tasks.store import TaskStore

Listing = dict[str, int]
"""A folder's names and what they stand for: a number for each file and folder, never used again, as inodes are."""


@dataclass
class State:
    """The whole tree at one moment: the listing of each folder, the content of each file, both by number."""

    root: int
    folders: dict[int, Listing]
    files: dict[int, bytes]


@dataclass
class Moment:
    """One step of the writer: what it did, what was synced by it if anything, and the tree afterwards."""

    step: str
    synced: int | None
    state: State


@dataclass
class Recorder:
    """Records the tree below `root` after every step that a writer takes."""

    root: Path
    moments: list[Moment] = field(default_factory=list)
    _contents: dict[tuple[int, int, int], bytes] = field(default_factory=dict)
    _numbers: dict[tuple[int, bool], int] = field(default_factory=dict)
    _last: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def note(self, step: str, inode: int | None = None) -> None:
        with self._lock:
            state = self._state_at_rest()
            known = self._numbers
            synced = None if inode is None else known.get((inode, False), known.get((inode, True)))
            self.moments.append(Moment(step, synced, state))

    def _state_at_rest(self) -> State:
        while True:
            with suppress(
                FileNotFoundError
            ):  # SQLite and open readers make and delete files unseen
                return self._state()

    def _state(self) -> State:
        folders: dict[int, Listing] = {}
        files: dict[int, bytes] = {}
        alive: dict[tuple[int, bool], int] = {}

        def number(path: Path) -> int:
            status = path.lstat()
            key = (status.st_ino, stat.S_ISDIR(status.st_mode))  # SQLite deletes files unseen
            if key not in alive:
                self._last += key not in self._numbers
                alive[key] = self._numbers.get(key, self._last)
            return alive[key]

        for folder, names, file_names in os.walk(self.root):
            listing: Listing = {}
            for name in [*names, *file_names]:
                path = Path(folder, name)
                status = path.lstat()
                if stat.S_ISSOCK(status.st_mode):
                    continue  # of a process, and nothing that a disk keeps
                listing[name] = number(path)
                if stat.S_ISREG(status.st_mode):
                    key = (listing[name], status.st_mtime_ns, status.st_size)
                    if key not in self._contents:
                        self._contents[key] = path.read_bytes()
                    files[listing[name]] = self._contents[key]
            folders[number(Path(folder))] = listing
        self._numbers = alive
        return State(number(self.root), folders, files)

    @contextmanager
    def recording(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        with monkeypatch.context() as patched:
            real_fsync = os.fsync

            def fsync(handle: int) -> None:
                with self._lock:
                    real_fsync(handle)
                    path = Path(f"/proc/self/fd/{handle}").readlink()
                    self.note(f"fsync {path.name}", os.fstat(handle).st_ino)

            patched.setattr(os, "fsync", fsync)
            for name in ("rename", "replace", "mkdir", "unlink", "rmdir"):
                patched.setattr(os, name, self._noting(name, getattr(os, name)))
            patched.setattr(TaskStore, "transaction", self._committing(TaskStore.transaction))
            self.note("begin")
            yield
            self.note("end")

    def _noting(self, name: str, real: Any) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            with self._lock:
                result = real(*arguments, **options)
                named = arguments[1] if name in ("rename", "replace") else arguments[0]
                self.note(f"{name} {Path(os.fsdecode(named)).name}")
                return result

        return call

    def _committing(self, real: Any) -> Any:
        @contextmanager
        def transaction(store: TaskStore, **options: bool) -> Iterator[sqlite3.Connection]:
            with self._lock, real(store, **options) as connection:
                yield connection
            full = connection.execute("PRAGMA synchronous").fetchone()[0] >= 2
            log = store.folder / "tasks.sqlite-wal"
            self.note("commit", log.stat().st_ino if full else None)

        return transaction


def crash(moments: list[Moment], at: int, target: Path, seed: int, *, syncs: bool = True) -> None:
    """Write into `target` what a power cut right after moment `at` may leave. Without `syncs`, no fsync did anything.

    Everything that was there at the first moment is on disk.
    """
    chance = random.Random(seed)
    durable_files = dict(moments[0].state.files)
    possible: dict[int, list[Listing]] = {
        number: [listing] for number, listing in moments[0].state.folders.items()
    }
    for moment in moments[1 : at + 1]:
        for number, listing in moment.state.folders.items():
            known = possible.setdefault(number, [{}])
            if known[-1] != listing:
                known.append(listing)
        if syncs and moment.synced is not None:
            if moment.synced in moment.state.files:
                durable_files[moment.synced] = moment.state.files[moment.synced]
            elif moment.synced in possible:
                possible[moment.synced] = possible[moment.synced][-1:]
    listings = (listing for known in possible.values() for listing in known)
    logs = {n for listing in listings for name, n in listing.items() if name.endswith("-wal")}
    written: dict[int, bytes] = {}
    for moment in moments[: at + 1]:
        written |= moment.state.files

    def put(number: int, place: Path) -> None:
        if number in possible:
            place.mkdir()
            for name, entry in chance.choice(possible[number]).items():
                put(entry, place / name)
        else:
            durable = durable_files.get(number)
            kept = _common(written[number], durable or b"") if number in logs else b""
            rest = None if durable is None else durable[len(kept) :]
            place.write_bytes(kept + _survivor(chance, written[number][len(kept) :], rest))

    put(moments[0].state.root, target)


def _common(one: bytes, other: bytes) -> bytes:
    """What both begin with."""
    length = min(len(one), len(other))
    return one[: next((n for n in range(length) if one[n] != other[n]), length)]


def _survivor(chance: random.Random, written: bytes, durable: bytes | None) -> bytes:
    if written == durable:
        return written
    flipped = bytearray(written)
    if flipped:
        flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
    return chance.choice(
        [
            durable or b"",
            b"",
            bytes(len(written)),
            written[: len(written) // 2],
            bytes(flipped),
            written,
        ]
    )
