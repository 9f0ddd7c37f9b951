"""The cache of embeddings in an index folder."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from indexer.embedding.batches import EmbeddingCache
from indexer.embedding.index_encoder import VECTOR_RUNTIMES, IndexEncoder, cache_key
from indexer.generations.base import Base
from indexer.passages.texts import Library
from kb.storage.manifest import ModelInfo


def open_cache(index: Path, model: ModelInfo) -> EmbeddingCache:
    """The cache of a model's vectors."""
    first, *others = (cache_key(model, runtime) for runtime in VECTOR_RUNTIMES)
    return EmbeddingCache(_path(index), first, model.dimensions, others)


def forget_embeddings(index: Path, base: Base, ids: Iterable[str]) -> None:
    """Delete the vectors of removed articles that `base` still has."""
    removed_ids = set(ids)
    if not removed_ids or not _path(index).exists():
        return
    counter = IndexEncoder.counter_of(base.folder / "encoder")
    with (
        Library.load(base.folder, counter) as library,
        open_cache(index, base.manifest.model) as cache,
    ):
        cache.forget(library.texts(removed_ids))


def _path(index: Path) -> Path:
    return index / "cache" / "embeddings.sqlite"
