"""Estimates of the disk space that work needs, so that it does not begin with less.

Estimates stay below what was measured: work that would fit is never refused. A full disk that they do not foresee is
told of when it is met (`kb.storage.disk_errors`).
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from indexer.embedding.model_folder import model_folder
from kb.schema.errors import IndexUnusable
from kb.storage.disk_errors import check_room
from kb.storage.generation import current_generation, generation_path
from kb.storage.manifest import Manifest

BYTES_PER_MODEL_BYTE = 2.0
"""Disk space of a new encoder, in sizes of its model's weights: two such files, until the second is reduced."""

GENERATION_BYTES_PER_STORE_BYTE = 8
"""Disk space of all other files, in sizes of the store of articles. Measured: 12, and 10 in a large library."""

CACHE_BYTES_PER_STORE_BYTE = 30
"""Disk space of new embeddings of CACHE_DIMENSIONS dimensions, in sizes of the same store. Measured: 40."""

CACHE_DIMENSIONS = 384

_EMPTY_STORE_BYTES = 32_768
"""Maximum size of a store without articles, in bytes."""

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


def generation_bytes(manifest: Manifest) -> int:
    """The length of all files of a generation."""
    return sum(info.bytes for info in manifest.files.values())


def build_bytes(
    index: Path,
    store_bytes: int,
    model: str,
    base: Manifest | None,
    encoder_source: Manifest | None,
) -> int:
    """Disk space of a build whose new articles fill a store of `store_bytes`, in bytes.

    `base` is the generation it is built upon. The encoder of `encoder_source` is copied; without one, it is exported.
    """
    if base is not None:
        known = generation_bytes(base)
    elif encoder_source is not None:
        known = sum(
            info.bytes for name, info in encoder_source.files.items() if name.startswith("encoder/")
        )
    else:
        known = encoder_bytes(model)
    store_bytes = max(0, store_bytes - _EMPTY_STORE_BYTES)
    manifest = base or encoder_source
    dimensions = manifest.model.dimensions if manifest else CACHE_DIMENSIONS
    embeddings = CACHE_BYTES_PER_STORE_BYTE * store_bytes * dimensions // CACHE_DIMENSIONS
    if base is None:  # which may be there
        embeddings = max(0, embeddings - _size(index / "cache" / "embeddings.sqlite"))
    return known + GENERATION_BYTES_PER_STORE_BYTE * store_bytes + embeddings


def encoder_bytes(model: str) -> int:
    """What the encoder of a model takes while it is made; 0 where its files are not here to be measured."""
    folder = Path(model_folder(model))
    for pattern in _WEIGHTS:
        sizes = [_size(path) for path in folder.rglob(pattern)] if folder.is_dir() else []
        if sizes:
            return int(BYTES_PER_MODEL_BYTE * sum(sizes))
    return 0


def check_space_to_add(index: Path, model: str) -> None:
    """Raise NoRoom if not even a build of one article has the room: before anything is put into the corpus."""
    live: Manifest | None = None
    with suppress(IndexUnusable):
        live = Manifest.load(generation_path(index, current_generation(index)))
    check_room(index, build_bytes(index, 0, model, live, live))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
