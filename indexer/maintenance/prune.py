"""The cache of embeddings without those of texts that no generation holds any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from indexer.embedding.batches import EmbeddingCache
from indexer.embedding.index_encoder import VECTOR_RUNTIMES, IndexEncoder, cache_key
from indexer.passages.texts import Library
from kb.schema.errors import IndexUnusable
from kb.storage.generation import generations, open_by_id


def prune_cache(index: Path) -> int:
    """Delete the embeddings of all texts that no generation holds; how many there were."""
    path = index / "cache" / "embeddings.sqlite"
    if not path.exists():
        return 0
    with ExitStack() as opened:
        libraries = []
        keys: dict[str, int] = {}
        for name in generations(index):
            try:
                folder, manifest, lease = open_by_id(index, name, "quick")
            except IndexUnusable:
                continue
            opened.callback(lease.release)
            counter = IndexEncoder.counter_of(folder / "encoder")
            libraries.append(opened.enter_context(Library.load(folder, counter)))
            for runtime in VECTOR_RUNTIMES:
                keys[cache_key(manifest.model, runtime)] = manifest.model.dimensions
        if not libraries:
            return 0
        first, *others = keys
        cache = opened.enter_context(EmbeddingCache(path, first, keys[first], others))
        return cache.keep_only(_texts(libraries))


def _texts(libraries: list[Library]) -> Iterator[str]:
    for library in libraries:
        yield from library.texts()
