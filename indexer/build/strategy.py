"""What the two ways to build a generation have in common: from nothing, and upon another one."""

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
    """What a generation holds: `embedded` of `texts` vectors were computed."""

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
    """The articles of the earlier generation that go or are replaced."""
    finisher: Finisher
    """Told which files are complete, so that these are synced and hashed beside the work."""


class BuildStrategy(Protocol):
    """Makes a generation of the articles in a store that the driver has written."""

    folder: Path
    """The folder of the generation."""
    store_folder: Path
    """The folder in which the driver writes the store of articles to index."""
    known: Sources | None
    """What an earlier generation holds: articles that are as there are not new."""
    wants_all: bool
    """Whether the store is to hold all articles, rather than those that are new or changed since `known`."""

    def needed_bytes(self, request: BuildRequest, store_bytes: int) -> int:
        """The disk space that the build takes with a store of that size."""

    def write(self, work: Work) -> Contents:
        """Write all that hangs on the articles.

        Raises IndexDamaged if the generation that is copied from turns out to be damaged.
        """


def encoder_files(manifest: Manifest) -> dict[str, FileInfo]:
    """What is known of the encoder's files of a generation, once they were copied and verified."""
    return {name: info for name, info in manifest.files.items() if name.startswith("encoder/")}
