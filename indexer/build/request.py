"""The request for a build, and its report."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from indexer.embedding.device_choice import AUTO_DEVICE
from indexer.embedding.model_folder import DEFAULT_MODEL
from indexer.generations.last_build import last_build
from kb.schema.errors import ArticleError
from kb.schema.service import Changes
from kb.storage.manifest import Precision


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """The options of one build.

    A corpus that is named twice counts once. Precision "bf16" embeds a library in two thirds of the time or less. A few
    texts are still embedded in float32, without torch. `device` is torch's name for the device that embeds a library.
    AUTO_DEVICE means a GPU if there is one. The build waits up to `wait_s` seconds for another build, and calls
    `waiting` once with its holder. Articles that were `removed` by id do not count as lost. With `replace`, no loss
    stops the build.
    """

    index: Path
    corpora: Sequence[Path]
    model: str = DEFAULT_MODEL
    precision: Precision = "fp32"
    device: str = AUTO_DEVICE
    wait_s: float = 0.0
    waiting: Callable[[str], None] | None = None
    removed: Collection[str] = ()
    replace: bool = False

    @classmethod
    def like_last(
        cls,
        index: Path,
        corpora: Sequence[Path] = (),
        model: str | None = None,
        precision: Precision | None = None,
    ) -> Self:
        """A build that takes corpora, model and precision from the last build unless they are given."""
        last = last_build(index)
        return cls(index, corpora or last.corpora, model or last.model, precision or last.precision)


@dataclass(frozen=True, slots=True)
class BuildReport:
    """What a build did. Of `texts` vectors, `embedded` were computed and the others reused.

    `published` is False if nothing had changed: then `generation` is the one that was live before. `moved` maps
    former ids of articles to their present ones. `removed` are the ids of articles that are gone. `waiting` maps the
    ids of articles that are not shown today to their dates of publication and expiry. `other_ids` maps the ids of new
    articles that are not their file's plain one to the file.
    """

    generation: str
    articles: int
    sections: int
    passages: int
    texts: int
    embedded: int
    changes: Changes
    failures: tuple[ArticleError, ...]
    published: bool
    seconds: float
    moved: dict[str, str] = field(default_factory=dict)
    removed: tuple[str, ...] = ()
    waiting: dict[str, tuple[str | None, str | None]] = field(default_factory=dict)
    other_ids: dict[str, str] = field(default_factory=dict)
