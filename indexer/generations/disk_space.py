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

ENCODER_TIMES = 2.0
"""The room of a new encoder, in weights of its model: two files of that size, until the second is made smaller."""

GENERATION_TIMES = 8
"""The room of all else of a generation, in bytes of its store of articles. Measured: 12, and 10 in a large library."""

CACHE_TIMES = 30
"""The room of new embeddings of CACHE_DIMENSIONS dimensions, in the same bytes. Measured: 40."""

CACHE_DIMENSIONS = 384

_EMPTY_STORE_BYTES = 32_768
"""What a store of no article is long, at most."""

_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")


def generation_bytes(manifest: Manifest) -> int:
    """The length of all files of a generation."""
    return sum(info.bytes for info in manifest.files.values())


def build_bytes(
    index: Path, store_bytes: int, model: str, base: Manifest | None, donor: Manifest | None
) -> int:
    """What a build takes whose new articles fill a store of so many bytes.

    `base` is the generation it is built upon, `donor` the one whose encoder is copied: without that one is made.
    """
    if base is not None:
        known = generation_bytes(base)
    elif donor is not None:
        known = sum(info.bytes for name, info in donor.files.items() if name.startswith("encoder/"))
    else:
        known = encoder_bytes(model)
    store_bytes = max(0, store_bytes - _EMPTY_STORE_BYTES)
    manifest = base or donor
    dimensions = manifest.model.dimensions if manifest else CACHE_DIMENSIONS
    embeddings = CACHE_TIMES * store_bytes * dimensions // CACHE_DIMENSIONS
    if base is None:  # which may be there
        embeddings = max(0, embeddings - _size(index / "cache" / "embeddings.sqlite"))
    return known + GENERATION_TIMES * store_bytes + embeddings


def encoder_bytes(model: str) -> int:
    """What the encoder of a model takes while it is made; 0 where its files are not here to be measured."""
    folder = Path(model_folder(model))
    for pattern in _WEIGHTS:
        sizes = [_size(path) for path in folder.rglob(pattern)] if folder.is_dir() else []
        if sizes:
            return int(ENCODER_TIMES * sum(sizes))
    return 0


def check_space_to_add(index: Path, model: str) -> None:
    """Raise NoRoom where not even a build of one article has the room: before anything is put into the corpus."""
    live: Manifest | None = None
    with suppress(IndexUnusable):
        live = Manifest.load(generation_path(index, current_generation(index)))
    check_room(index, build_bytes(index, 0, model, live, live))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
