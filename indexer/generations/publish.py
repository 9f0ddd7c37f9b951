"""Publication of a finished generation.

The order of fsync is what makes a publication survive a power cut: the files (`indexer.generations.finisher`), their
folders, the manifest (last, so that a folder with a manifest is whole), the rename into `generations/`, the rename of
CURRENT, the index folder.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kb.schema.errors import IndexUnusable
from kb.storage.durable import fsync, make_folder, remove_durably, write_durably
from kb.storage.generation import (
    PINNED_FILE,
    current_generation,
    generation_path,
    save_stamps,
    stamp,
)
from kb.storage.manifest import FILE as MANIFEST
from kb.storage.manifest import Manifest
from kb.storage.open_newest import REMOVED_FILE, removed_articles, removed_to_bytes

BUILDING_PREFIX = ".building"


@contextmanager
def building_folder(index: Path) -> Iterator[Path]:
    """An empty folder to build in, on the index's own file system; gone afterwards unless it was published."""
    generations = index / "generations"
    make_folder(generations)
    sweep(index)
    folder = generations / f"{BUILDING_PREFIX}-{os.getpid()}"
    folder.mkdir()
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(index: Path) -> int:
    """Delete what writers that were killed have left behind; how many things. For the holder of the lock alone."""
    leftovers = [
        *(index / "generations").glob(f"{BUILDING_PREFIX}*"),
        *index.glob(".*.new"),
        *(index / "cache" / "verified").glob("*.tmp"),
    ]
    for leftover in leftovers:
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            with suppress(OSError):
                leftover.unlink()
    return len(leftovers)


def creation_time(index: Path) -> str:
    """Now, in ISO 8601 and UTC; or just after the newest generation's time, where the clock went back."""
    now = datetime.now(UTC)
    with suppress(IndexUnusable, ValueError):
        live = Manifest.load(generation_path(index, current_generation(index)))
        now = max(now, datetime.fromisoformat(live.created) + timedelta(microseconds=1))
    return now.isoformat(timespec="microseconds")


def publish(
    index: Path,
    folder: Path,
    manifest: Manifest,
    *,
    pin: bool = False,
    removed: frozenset[str] | None = None,
) -> str:
    """Make the generation in `folder`, whose files are on disk, the live one and return its id.

    `removed` are the articles that no older generation may show again, where these change; `pin` makes the generation
    stay until another is published on purpose.
    """
    stamps = {name: stamp(folder / name) for name in manifest.files}
    fsync_folders(folder)
    (folder / MANIFEST).write_bytes(manifest.to_bytes())
    fsync(folder / MANIFEST)
    fsync(folder)
    generation_id = manifest.generation_id
    target = generation_path(index, generation_id)
    folder.rename(target)
    try:
        fsync(target.parent)
        save_stamps(index, generation_id, stamps)  # all of it was hashed a moment ago
        make_live(index, generation_id, pin=pin, removed=removed)
    except BaseException:
        if _live(index) != generation_id:
            target.rename(folder)  # whoever made the folder deletes it
        raise
    return generation_id


def _live(index: Path) -> str | None:
    try:
        return current_generation(index)
    except IndexUnusable:
        return None


def fsync_folders(folder: Path) -> None:
    """Have on disk which files a generation has, once these are."""
    for path in sorted(folder.rglob("*")):
        if path.is_dir():
            fsync(path)
    fsync(folder)


def make_live(
    index: Path, generation_id: str, *, pin: bool = False, removed: frozenset[str] | None = None
) -> None:
    """Point CURRENT at a generation that is whole and on disk."""
    if removed is not None and removed != _recorded_removed(index):
        write_durably(index / REMOVED_FILE, removed_to_bytes(removed))
    name = f"{generation_id}\n".encode("ascii")
    if pin:
        # Before CURRENT: a pin holds only while both name the same.
        write_durably(index / PINNED_FILE, name)
    write_durably(index / "CURRENT", name)
    if not pin and (index / PINNED_FILE).exists():
        remove_durably(index / PINNED_FILE)


def known_removed(index: Path) -> frozenset[str]:
    """The articles that were published once and removed since; empty if that is not known."""
    return _recorded_removed(index) or frozenset()


def _recorded_removed(index: Path) -> frozenset[str] | None:
    try:
        return removed_articles(index)
    except IndexUnusable:
        return None
