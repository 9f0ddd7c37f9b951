"""The state of an index and its tasks, as the service reports it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from indexer.maintenance.status import status
from kb.schema.errors import IndexDamaged, IndexFormatMismatch, IndexMissing, IndexUnusable
from kb.schema.service import IndexStatus, Size, Stale, TaskCounts
from kb.tasks.messages import IndexProblem, Reply, StatusReply
from kb.tasks.store import TaskStore


def status_reply(index: Path, store: TaskStore) -> Reply:
    """How the index stands, or why there is none that could be told about."""
    try:
        found = status(index)
    except IndexUnusable as error:
        match error:
            case IndexMissing():
                return IndexProblem("missing")
            case IndexDamaged():
                return IndexProblem("damaged")
            case IndexFormatMismatch():
                return IndexProblem("format")
            case _:
                return IndexProblem("unusable")
    counts = store.counts()
    return StatusReply(
        IndexStatus(
            generation=found.generation,
            created=found.created,
            model=found.model,
            counts=Size(**asdict(found.counts)),
            corpora=found.corpora,
            pinned=found.pinned,
            damage=found.damage,
            rebuild=found.rebuild,
            stale=Stale(**found.stale),
            words=found.words,
            unreadable=found.unreadable,
            last_build=found.last_build,
            last_failures=found.last_failures,
            kept=found.kept,
            bytes=found.bytes,
            cache_bytes=found.cache_bytes,
            writer=found.writer,
            tasks=TaskCounts(
                counts["queued"], counts["accepted"], counts["done"], counts["failed"]
            ),
            corpus_unreadable=found.corpus_unreadable,
        )
    )
