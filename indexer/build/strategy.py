"""The interface of the two ways to build a generation: from nothing, and on another one."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from indexer.build.request import BuildRequest
from indexer.corpus.progress import Progress
from indexer.generations.finisher import Finisher
from indexer.lexicon.lexicon import Lexicon
from indexer.passages.executor import Executor
from kb.storage.manifest import Counts, FileInfo, Manifest, ModelInfo
from kb.storage.sources import Sources


class Contents(NamedTuple):
    """The content of a generation, in numbers. Of `texts` vectors, `embedded` were computed."""

    model: ModelInfo
    counts: Counts
    texts: int
    embedded: int


@dataclass(frozen=True, slots=True)
class Work:
    """What a strategy works with."""

    request: BuildRequest
    executor: Executor
    progress: Progress
    lexicon: Lexicon
    removed_ids: Collection[str]
    """The articles of the earlier generation that are removed or replaced."""
    finisher: Finisher
    """Syncs and hashes complete files while others are written."""


class BuildStrategy(Protocol):
    """Makes a generation from the articles in a store that the driver has written."""

    folder: Path
    """The folder of the generation."""
    store_folder: Path
    """The folder in which the driver writes the store of articles to index."""
    known: Sources | None
    """The sources of the earlier generation. Its unchanged articles are not new."""
    wants_all: bool
    """Whether the store needs all articles, or only those that are new or changed since `known`."""

    def needed_bytes(self, request: BuildRequest, store_bytes: int) -> int:
        """The disk space in bytes that the build needs with a store of that size."""

    def write(self, work: Work) -> Contents:
        """Write all files that depend on the articles.

        Raises IndexDamaged if the generation that is copied from turns out to be damaged.
        """


def encoder_files(manifest: Manifest) -> dict[str, FileInfo]:
    """Length and hash of a generation's encoder files, known once they were copied and verified."""
    return {name: info for name, info in manifest.files.items() if name.startswith("encoder/")}
