"""Articles that were removed, out of every generation of an index and out of its cache."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from indexer.corpus.progress import Progress
from indexer.generations.base import open_one
from indexer.generations.collect import READER_GRACE_S, collect
from indexer.generations.lock import writer_lock
from indexer.generations.publish import known_removed
from indexer.maintenance.backups import NotedBackup, backups_that_hold
from indexer.maintenance.prune import prune_cache
from indexer.maintenance.rollback import publish_without
from kb.storage.generation import current_generation, generations, pinned_generation

_LOOK_AGAIN_S = 0.1


@dataclass(frozen=True, slots=True)
class Purge:
    """What a purge did: the generations it `deleted`, those `kept` since somebody has them open, and the backups that
    hold the text still, or may.
    """

    generation: str
    deleted: tuple[str, ...]
    kept: tuple[str, ...]
    backups: tuple[NotedBackup, ...]


def purge(
    index: Path,
    ids: Collection[str],
    progress: Progress,
    *,
    wait_s: float = 0.0,
    waiting: Callable[[str], None] | None = None,
) -> Purge:
    """Publish the live generation anew without a word of these articles, and delete all others.

    They must be out of the corpus already. A service gets READER_GRACE_S seconds to close the older generations. Raises
    the kinds of IndexUnusable, BuildInProgress and OSError.
    """
    before = generations(index)
    with writer_lock(index, wait_s, waiting):
        live = current_generation(index)
        progress.stage("write")
        with open_one(index, live, is_live=True) as base:
            gone = frozenset(ids) & base.sources.articles.keys()
            pinned = pinned_generation(index) == live
            removed = known_removed(index).union(ids)
            generation = publish_without(index, base, gone, removed, pin=pinned, compact=True)
        progress.stage("wait for readers")
        until = time.monotonic() + READER_GRACE_S
        while collect(index, keep=1) or time.monotonic() < until:
            if generations(index) == [generation]:
                break
            time.sleep(_LOOK_AGAIN_S)
        prune_cache(index)
        progress.close()
    kept = tuple(each for each in generations(index) if each != generation)
    return Purge(
        generation,
        tuple(each for each in before if each not in kept),
        kept,
        tuple(backups_that_hold(index, ids)),
    )
