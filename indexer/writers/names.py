"""The arrays that `kb.retrieval.names` reads: of all names of a library, or merged from those of two generations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from indexer.writers.merge import Merge
from indexer.writers.term_rows import TermRows, join
from kb.question.small_names import keys_of_name
from kb.retrieval.postings import Postings
from kb.text.analysis import terms


def write_names(
    folder: Path,
    names: Sequence[str],
    articles: NDArray[np.int64],
    postings: Postings,
    earlier: tuple[Path, Merge] | None = None,
) -> None:
    """Write the terms of the names, article a having the names `articles[a]` to `articles[a + 1]`.

    `postings` are the library's own and give the terms their idf. `earlier` is that folder of an older generation, and
    how its names and those that it lacks become these: the bytes are the same without it.
    """
    folder.mkdir(parents=True)
    if earlier is None:
        found = _terms_of(names)
    else:
        before, merge = earlier
        added = _terms_of([names[row] for row in merge.new.tolist()])
        found = join(_load(before), added, merge.kept, merge.new).both
    known = [postings.find(term.decode()) for term in found.terms.tolist()]
    idf = np.array([term.idf if term else postings.idf_of_rarest for term in known], np.float64)
    counts = np.diff(found.starts)
    masses = np.bincount(found.rows, weights=np.repeat(idf, counts), minlength=len(names))
    arrays: dict[str, NDArray[Any]] = {
        "terms": found.terms,
        "starts": found.starts,
        "rows": found.rows.astype(np.int32),
        "masses": masses.astype(np.float32),
        "articles": articles,
    }
    for file, values in arrays.items():
        np.save(folder / f"{file}.npy", values, allow_pickle=False)


def _terms_of(names: Sequence[str]) -> TermRows:
    rows_of: dict[bytes, list[int]] = {}
    for row, name in enumerate(names):
        for term in dict.fromkeys(terms(name)) or keys_of_name(name):
            rows_of.setdefault(term.encode(), []).append(row)
    return TermRows.of(rows_of)


def _load(folder: Path) -> TermRows:
    names, starts, rows = (
        np.load(folder / f"{file}.npy", allow_pickle=False) for file in ("terms", "starts", "rows")
    )
    return TermRows(names, starts, rows.astype(np.int64))
