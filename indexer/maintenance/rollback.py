"""An earlier generation made live again, and kept live until a build on purpose.

What was removed from the corpus since then stays removed: where the earlier generation has such articles, a copy of it
without them is published in its place.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from indexer.build.derived_files import Change, write_derived_files
from indexer.build.embedding_cache import forget_embeddings
from indexer.build.merge_generations import merge_generations
from indexer.build.new_articles import write_empty_generation
from indexer.corpus.scan import Scan
from indexer.embedding.index_encoder import IndexEncoder
from indexer.generations.base import Base, open_one
from indexer.generations.collect import collect
from indexer.generations.disk_space import generation_bytes
from indexer.generations.finisher import Finisher
from indexer.generations.last_build import last_build
from indexer.generations.lock import writer_lock
from indexer.generations.publish import (
    building_folder,
    creation_time,
    known_removed,
    make_live,
    publish,
)
from indexer.lexicon.lexicon import load_lexicon
from kb.schema.errors import CorpusError, ExtraMissing, IndexUnusable, NotFound
from kb.storage.disk_errors import check_room, telling
from kb.storage.generation import current_generation, generation_path, generations
from kb.storage.manifest import Counts
from kb.storage.sources import NO_CHANGES, Sources


@dataclass(frozen=True, slots=True)
class RollbackReport:
    """What is live now, of which generation it is the content, and the articles left out of that."""

    generation: str
    rolled_back_to: str
    left_out: tuple[str, ...]


def roll_back(
    index: Path,
    generation_id: str | None = None,
    *,
    removed: Iterable[str] = (),
    wait_s: float = 0.0,
    waiting: Callable[[str], None] | None = None,
) -> RollbackReport:
    """Make a generation live again, by default the newest that is older than the live one's content.

    What is known to have been removed since is left out, and the articles `removed`. Naming the live one pins it.
    Raises NotFound if there is none, IndexMissing if there is no index, IndexDamaged if it does not verify,
    and BuildInProgress.
    """
    if not generations(index):
        current_generation(index)  # nothing is to be made where there is no index
    with writer_lock(index, wait_s, waiting):
        with _target(index, generation_id) as target:
            left_out = _removed_since(index, target.sources, frozenset(removed))
            known = known_removed(index).union(removed)
            live = make_live_without(index, target, left_out, pin=True, removed=known)
            origin = target.sources.rolled_back_to or target.folder.name
        collect(index)
        return RollbackReport(live, origin, tuple(sorted(left_out)))


def make_live_without(
    index: Path, target: Base, left_out: frozenset[str], *, pin: bool, removed: frozenset[str]
) -> str:
    """Make a generation live, or where there are articles to be left out, a copy of it without them; its id.

    `removed` are the articles that are known to have been removed, to which those are added. For the holder of the lock
    alone.
    """
    removed |= left_out
    if left_out:
        return publish_without(index, target, left_out, removed, pin=pin)
    make_live(index, target.folder.name, pin=pin, removed=removed)
    return target.folder.name


def _target(index: Path, generation_id: str | None) -> Base:
    there = generations(index)
    if generation_id is not None:
        if generation_id not in there:
            known = ", ".join(there) or "none"
            raise NotFound(
                f"There is no generation {generation_id!r} in {index}; there are: {known}."
            )
        return open_one(index, generation_id, is_live=False)
    try:
        live = current_generation(index)
    except IndexUnusable:
        live = ""
    with suppress(IndexUnusable), open_one(index, live, is_live=True) as base:
        live = base.sources.rolled_back_to or live
    for name in there:
        if not live or name < live:
            with suppress(IndexUnusable):
                return open_one(index, name, is_live=False)
    raise NotFound(f"{index}: there is no earlier generation to go back to.")


def _removed_since(index: Path, sources: Sources, gone: frozenset[str]) -> frozenset[str]:
    """The articles of a generation that were taken out of the corpus since, those in `gone` among them."""
    removed = known_removed(index) | gone
    # What the live one was made from needs no reading, and it may be that nothing can be read here.
    for known in (sources, _live_sources(index)):
        try:
            scan = Scan(last_build(index).corpora, known)
            scan.finish()
            removed |= scan.removed | scan.hidden
            removed -= scan.articles.keys() | scan.waiting.keys()
            break
        except ExtraMissing:
            continue
        except CorpusError:
            break  # not there just now, or empty: what was known before has to do
    return removed & sources.articles.keys()


def _live_sources(index: Path) -> Sources | None:
    try:
        return Sources.load(generation_path(index, current_generation(index)))
    except IndexUnusable:
        return None


def publish_without(
    index: Path,
    target: Base,
    left_out: frozenset[str],
    removed: frozenset[str],
    *,
    pin: bool,
    compact: bool = False,
) -> str:
    """Publish a copy of a generation without some articles; its id. For the holder of the lock alone.

    With `compact` nothing is left in it of the words of articles that it does not have.
    """
    needed = generation_bytes(target.manifest)
    check_room(index, needed)
    with telling(index, needed), building_folder(index) as folder:
        additions = folder / "additions"
        additions.mkdir()
        target.copy("encoder", folder / "encoder")
        counter = IndexEncoder.counter_of(folder / "encoder")
        manifest = target.manifest
        write_empty_generation(additions, counter, manifest.model.dimensions)
        merged = merge_generations(
            folder, target, left_out, additions, counter, manifest.bm25f, compact=compact
        )
        with merged.library as library:
            lexicon = load_lexicon(target.folder)
            change = Change(target.folder, left_out, additions, merged.names)
            write_derived_files(library, folder, lexicon, change)
            counts = Counts(*library.counts, len(library.passages), merged.terms)
        shutil.rmtree(additions)
        replace(
            target.sources,
            articles={
                article_id: digest
                for article_id, digest in target.sources.articles.items()
                if article_id not in left_out
            },
            changes=target.sources.changes
            if compact
            else replace(NO_CHANGES, removed=len(left_out)),
            rolled_back_to=target.sources.rolled_back_to or (target.folder.name if pin else ""),
        ).save(folder)
        with Finisher(folder) as finishing:
            files = finishing.file_infos()
        made = replace(manifest, created=creation_time(index), counts=counts, files=files)
        published = publish(index, folder, made, pin=pin, removed=removed)
    forget_embeddings(index, target, left_out)
    return published
