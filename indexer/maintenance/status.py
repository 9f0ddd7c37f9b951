"""The state of an index: what is live, how much it holds, and which changes of the corpus it lacks."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from indexer.corpus.scan import Scan
from indexer.generations.base import fits_model, model_files
from indexer.generations.last_build import last_build
from indexer.generations.lock import holder
from indexer.lexicon.lexicon import read_lexicon
from kb.schema.errors import CorpusError, ExtraMissing
from kb.schema.service import Changes
from kb.storage.generation import generations, pinned_generation
from kb.storage.manifest import Counts
from kb.storage.open_newest import open_newest
from kb.storage.sources import Sources


@dataclass(frozen=True, slots=True)
class Status:
    """What `kb status` tells. `stale` are the articles that a build would add, change and remove.

    `words` are the files about words that a build would take in; where `corpus_unreadable` says why a corpus as a whole
    cannot be read, nobody knows what is stale.
    `damage` says why the live generation is not `generation`, `pinned` that a rollback made it live, `rebuild` that a
    build would begin anew, since the model or the program is another; `last_build` is what made `generation`.
    """

    generation: str
    created: str
    model: str
    counts: Counts
    corpora: tuple[str, ...]
    pinned: bool
    damage: str | None
    rebuild: bool
    stale: dict[str, tuple[str, ...]]
    words: tuple[str, ...]
    unreadable: tuple[str, ...]
    last_build: Changes
    last_failures: tuple[str, ...]
    kept: tuple[str, ...]
    bytes: int
    cache_bytes: int
    writer: str | None
    corpus_unreadable: str | None = None


def status(index: Path) -> Status:
    """How the index stands now. Raises the kinds of IndexUnusable if nothing can be served."""
    found = open_newest(index)
    try:
        manifest, sources = found.manifest, Sources.load(found.folder)
        before = last_build(index)
        fits = fits_model(before.model, model_files(before.model), before.precision)
        scan, unreadable = _scan(index, sources)
        return Status(
            generation=found.folder.name,
            created=manifest.created,
            model=manifest.model.name,
            counts=manifest.counts,
            corpora=tuple(corpus.path for corpus in manifest.corpora),
            pinned=pinned_generation(index) == found.folder.name,
            damage=str(found.damage) if found.damage else None,
            rebuild=not fits(manifest, sources),
            stale={
                "added": tuple(sorted(scan.added)) if scan else (),
                "changed": tuple(sorted(scan.changed)) if scan else (),
                "removed": tuple(sorted(scan.removed | scan.failed)) if scan else (),
                "moved": tuple(sorted(scan.moved)) if scan else (),
            },
            words=_changed_words(scan, sources) if scan else (),
            unreadable=unreadable,
            last_build=sources.changes,
            last_failures=manifest.failures,
            kept=tuple(generations(index)),
            bytes=_size(index / "generations"),
            cache_bytes=_size(index / "cache"),
            writer=holder(index),
            corpus_unreadable=unreadable[0] if scan is None else None,
        )
    finally:
        found.lease.release()


def _scan(index: Path, sources: Sources) -> tuple[Scan | None, tuple[str, ...]]:
    try:
        scan = Scan(last_build(index).corpora, sources)
        with suppress(CorpusError):
            scan.finish()
        failures = (*scan.failures, *read_lexicon(last_build(index).corpora).failures)
        return scan, tuple(map(str, failures))
    except (CorpusError, ExtraMissing) as error:
        return None, (str(error),)


def _changed_words(scan: Scan, sources: Sources) -> tuple[str, ...]:
    changed = set(scan.lexicons) ^ set(sources.lexicons)
    return tuple(sorted({name for _, name, _ in changed}))


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):  # a build may be tidying up
            total += path.stat().st_size if path.is_file() else 0
    return total
