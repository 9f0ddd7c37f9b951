"""Which changes of a corpus this installation can index.

Removing articles from an index needs neither a reader nor a model: what stays is copied. Adding articles needs the
extra `indexing`.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

from indexer.corpus.scan import Scan
from kb.schema.errors import CorpusError
from kb.schema.extras import missing
from kb.storage.sources import Sources

_SHOWN = 3


def can_read_articles() -> bool:
    """Whether this installation can read articles and cut them into passages."""
    return not any(_is_missing(module) for module in ("markdown_it", "sentencex"))


def check_can_read_articles() -> None:
    """Raise ExtraMissing if this installation cannot index articles."""
    if not can_read_articles():
        raise missing("sentencex", "Taking articles in", "indexing")


def check_only_removals(corpora: Sequence[Path], known: Sources | None) -> None:
    """Raise ExtraMissing if the corpora have new articles that this installation cannot index.

    So nothing is removed from the corpus that would then stay in the index.
    """
    if can_read_articles():
        return
    scan = Scan(corpora, known)
    with suppress(CorpusError):  # no article is left
        scan.finish()
    come = sorted(scan.added | scan.changed)
    if come:
        more = f" and {len(come) - _SHOWN:,} more" if len(come) > _SHOWN else ""
        articles = "is an article" if len(come) == 1 else f"are {len(come):,} articles"
        raise missing(
            "sentencex",
            f"There {articles} in the corpus that the index does not hold as it is "
            f"({', '.join(come[:_SHOWN])}{more}), and taking that in",
            "indexing",
        )


def _is_missing(module: str) -> bool:
    try:
        return find_spec(module) is None
    except ModuleNotFoundError:
        return True
