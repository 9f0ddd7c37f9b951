"""Syncing and hashing of finished files while others are written."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Self

from kb.storage.durable import fsync
from kb.storage.generation import file_sha256
from kb.storage.manifest import FileInfo

_THREADS = 4
"""More than cores: who waits for a disk needs none."""


class Finisher:
    """Syncs and hashes the files in a folder in threads of its own, those that are told to be finished at once.

    A context manager: leaving it waits for what is being done, and forgets what is not begun.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[str, FileInfo] = {}
        self._pending: dict[str, Future[FileInfo]] = {}
        self._pool = ThreadPoolExecutor(_THREADS)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def add_finished(self, *leave_out: str, known: Mapping[str, FileInfo] | None = None) -> None:
        """What the folder holds now will not change any more, but for what is in its folders `leave_out`.

        Of files in `known`, by their relative POSIX paths, length and hash are taken as given.
        """
        self._known.update(known or {})
        for path in sorted(path for path in self._folder.rglob("*") if path.is_file()):
            name = path.relative_to(self._folder).as_posix()
            if name not in self._pending and name.split("/")[0] not in leave_out:
                self._pending[name] = self._pool.submit(self._finish, path, self._known.get(name))

    def file_infos(self) -> dict[str, FileInfo]:
        """Length and SHA-256 of every file in the folder, all finished, by relative POSIX path, sorted.

        Each is on disk then, the lease, which is made now, among them; the folders are not. Raises OSError.
        """
        (self._folder / "lease").touch()
        self.add_finished()
        return {name: self._pending[name].result() for name in sorted(self._pending)}

    @staticmethod
    def _finish(path: Path, known: FileInfo | None) -> FileInfo:
        fsync(path)
        return known or FileInfo(path.stat().st_size, file_sha256(path))
