"""Given all names of a library, the arrays that kb.names reads."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.analysis import terms
from kb.postings import Postings


def write_names(
    folder: Path, names: Sequence[str], articles: NDArray[np.int64], postings: Postings
) -> None:
    """Write the terms of the names, article a having the names `articles[a]` to `articles[a + 1]`.

    `postings` are the library's own and give the terms their idf.
    """
    folder.mkdir(parents=True)
    rows_of: dict[str, list[int]] = {}
    for row, name in enumerate(names):
        for term in set(terms(name)):
            rows_of.setdefault(term, []).append(row)
    known = sorted(rows_of, key=str.encode)
    masses = np.zeros(len(names), dtype=np.float64)
    for term in known:
        found = postings.find(term)
        masses[rows_of[term]] += found.idf if found else postings.idf_of_rarest
    counts = [len(rows_of[term]) for term in known]
    arrays: dict[str, NDArray[Any]] = {
        "terms": np.array([term.encode() for term in known], dtype=np.bytes_),
        "starts": np.concatenate(([0], np.cumsum(counts))).astype(np.int64),
        "rows": np.array([row for term in known for row in rows_of[term]], dtype=np.int32),
        "masses": masses.astype(np.float32),
        "articles": articles,
    }
    for file, values in arrays.items():
        np.save(folder / f"{file}.npy", values, allow_pickle=False)
