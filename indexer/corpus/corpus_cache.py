"""A value made from a reading of the whole corpus, kept until the corpus changes.

Three things tell that the corpora have changed. Whoever changes them as this program does leaves a new time on the
folder (`kb.storage.durable.changing`). The files that a change is about are looked at each time. And every file is
looked at when that was longer than `CHECK_AFTER_S` ago, by length, times and inode: some 15 ms for 5,000 files.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Generic, TypeVar

from indexer.corpus.files import SKIPPED
from indexer.identity.ledger import FILE as LEDGER
from kb.storage.durable import FolderTurn, changing, stamp

T = TypeVar("T")

CHECK_AFTER_S = 10.0
UNSETTLED_NS = 50_000_000
"""A file that changed so short a time before it was read may change again and show the same times."""

_Stamp = tuple[int, int, int, int]
_CHANGING: _Stamp = (0, 0, 0, 0)


class CorpusCache(Generic[T]):
    """Keeps what `make` gives for the corpora. For one thread at a time, which holds the writable folder's lock."""

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
        """One turn at changing the writable folder; the methods below are for the block of it."""
        turn: FolderTurn | None = None
        try:
            with changing(folder) as turn:
                if turn.began_ns != self._ended_ns:
                    self.invalidate()
                yield
        finally:
            self._ended_ns = turn.ended_ns if turn else 0

    def get(self, corpora: tuple[Path, ...]) -> T:
        """What is kept, or made anew where others may have changed something since."""
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
        # Before reading: what changes meanwhile is seen the next time.
        files = dict(_stamps(corpora))
        for name, found in files.items():
            if now - max(found[:2]) < UNSETTLED_NS:
                files[name] = _CHANGING
        made = self._make(corpora)
        self._value, self._corpora, self._files = made, corpora, files
        self._looked = self._clock()
        return made

    def are_unchanged(self, paths: Iterable[Path]) -> bool:
        """Whether these files are as they were when they were last read or noted."""
        return all(self._files.get(str(path)) == stamp(path) for path in paths)

    def note(self, paths: Iterable[Path]) -> None:
        """These files are as this process made them, or are gone."""
        for path in paths:
            found = stamp(path)
            if found is None:
                self._files.pop(str(path), None)
            else:
                self._files[str(path)] = found

    def invalidate(self) -> None:
        """Make it anew the next time."""
        self._value = None


def _stamps(corpora: Iterable[Path]) -> Iterator[tuple[str, _Stamp]]:
    """Each file of the corpora that may say something of its articles."""
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
            ):  # a scan names what it cannot list
                for entry in entries:
                    passed_over = entry.name.startswith(SKIPPED)
                    if entry.is_dir(follow_symlinks=False):
                        if not passed_over:
                            folders.append(entry.path)
                    elif not passed_over and entry.name != LEDGER:  # a build writes it, too
                        found = stamp(entry)
                        if found is not None:
                            yield entry.path, found
