"""Which changes of a corpus this installation can take into an index.

Taking articles out of an index needs neither a reader nor a model: what stays is moved, not made anew. Taking some in
needs the extra `indexing`.
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
    """Whether articles of any form can be read and cut into passages here."""
    return not any(_is_missing(module) for module in ("markdown_it", "sentencex"))


def check_can_read_articles() -> None:
    """Raise ExtraMissing if articles cannot be taken in here."""
    if not can_read_articles():
        raise missing("sentencex", "Taking articles in", "indexing")


def check_only_removals(corpora: Sequence[Path], known: Sources | None) -> None:
    """Raise ExtraMissing if the corpora have articles that `known` lacks and that cannot be taken in here.

    So that nothing is taken out of the corpus that would then stay in the index.
    """
    if can_read_articles():
        return
    scan = Scan(corpora, known)
    with suppress(CorpusError):  # nothing is left
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
