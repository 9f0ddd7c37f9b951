"""A cache for a value that needs a reading of the whole corpus, valid until the corpus changes.

A change of the corpora is noticed in three ways. This program leaves a new time on the folder when it changes it
(`kb.storage.durable.changing`). The files that a change is about are checked each time. And all files are checked after
`CHECK_AFTER_S` seconds, by length, times and inode: about 15 ms for 5,000 files.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

from indexer.corpus.files import SKIPPED_PREFIXES
from indexer.identity.ledger import FILE as LEDGER
from kb.storage.durable import FolderTurn, changing, stamp

T = TypeVar("T")

CHECK_AFTER_S = 10.0
UNSETTLED_NS = 50_000_000
"""A file that changed this short a time before it was read may change again without new times."""

_Stamp = tuple[int, int, int, int]
_CHANGING: _Stamp = (0, 0, 0, 0)


class CorpusCache(Generic[T]):
    """Caches the result of `make` for the corpora. For one thread at a time, which holds the writable folder's lock."""

    def __init__(
        self,
        make: Callable[[tuple[Path, ...]], T],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._make = make
        self._clock = clock
        self._value: T | None = None
        self._corpora: tuple[Path, ...] = ()
        self._files: dict[str, _Stamp] = {}
        self._ended_ns = 0
        self._looked = 0.0

    @contextmanager
    def locked(self, folder: Path) -> Iterator[None]:
        """Take a turn at changing the writable folder. Call the methods below inside the block."""
        turn: FolderTurn | None = None
        try:
            with changing(folder) as turn:
                if turn.began_ns != self._ended_ns:
                    self.invalidate()
                yield
        finally:
            self._ended_ns = turn.ended_ns if turn else 0

    def get(self, corpora: tuple[Path, ...]) -> T:
        """The cached value, or a new one if others may have changed the corpora."""
        if self._value is None or corpora != self._corpora:
            return self.refresh(corpora)
        if self._clock() - self._looked > CHECK_AFTER_S:
            if dict(_stamps(corpora)) != self._files:
                return self.refresh(corpora)
            self._looked = self._clock()
        return self._value

    def refresh(self, corpora: tuple[Path, ...]) -> T:
        """Made anew."""
        self.invalidate()
        now = time.time_ns()
        # Before reading, so that a change during the reading is noticed next time.
        files = dict(_stamps(corpora))
        for name, found in files.items():
            if now - max(found[:2]) < UNSETTLED_NS:
                files[name] = _CHANGING
        made = self._make(corpora)
        self._value, self._corpora, self._files = made, corpora, files
        self._looked = self._clock()
        return made

    def are_unchanged(self, paths: Iterable[Path]) -> bool:
        """Whether these files are unchanged since they were last read or noted."""
        return all(self._files.get(str(path)) == stamp(path) for path in paths)

    def note(self, paths: Iterable[Path]) -> None:
        """Note that this process wrote or deleted these files."""
        for path in paths:
            found = stamp(path)
            if found is None:
                self._files.pop(str(path), None)
            else:
                self._files[str(path)] = found

    def invalidate(self) -> None:
        """Make the value again next time."""
        self._value = None


def _stamps(corpora: Iterable[Path]) -> Iterator[tuple[str, _Stamp]]:
    """The stamp of each file that may affect the articles."""
    for corpus in corpora:
        if not corpus.is_dir():
            found = stamp(corpus)
            if found is not None:
                yield str(corpus), found
            continue
        folders = [str(corpus)]
        while folders:
            folder = folders.pop()
            with (
                suppress(OSError),
                os.scandir(folder) as entries,
            ):  # a scan reports folders that cannot be listed
                for entry in entries:
                    passed_over = entry.name.startswith(SKIPPED_PREFIXES)
                    if entry.is_dir(follow_symlinks=False):
                        if not passed_over:
                            folders.append(entry.path)
                    elif not passed_over and entry.name != LEDGER:  # a build writes it, too
                        found = stamp(entry)
                        if found is not None:
                            yield entry.path, found
