"""Given a question's operators, which passages match: Whoosh's part in answering.

A plain question never comes here. Whoosh's document numbers are the passages' ordinals.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh.fields import TEXT, Schema
from whoosh.index import open_dir
from whoosh.query import And, Every, Not, NullQuery, Or, Phrase, Term

from kb.analysis import make_analyzer, terms
from kb.bm25f import FIELDS
from kb.question import Condition

MAX_PREFIX_EXPANSIONS = 64


def make_schema() -> Any:
    """The Whoosh schema: one document a passage, the four fields with positions, nothing stored."""
    return Schema(**{field: TEXT(analyzer=make_analyzer(), phrase=True) for field in FIELDS})


class KeywordIndex:
    """The Whoosh index of one generation.

    Opening it unpickles, so that only a checked generation may be opened. Whoosh's readers may not be
    shared between threads: every call has its own.
    """

    def __init__(self, folder: Path, passage_count: int) -> None:
        self._index = open_dir(str(folder), readonly=True)
        self._passage_count = passage_count

    def matching(self, conditions: Sequence[Condition]) -> NDArray[np.bool_]:
        """Which passages meet all conditions, bool (N,). A condition of nothing but stop words always holds."""
        mask = np.zeros(self._passage_count, dtype=np.bool_)
        with self._index.searcher() as searcher:
            parts = [_query(condition, searcher.reader()) for condition in conditions]
            query = And([Every(), *(part for part in parts if part is not None)])
            rows = np.fromiter(searcher.docs_for_query(query), dtype=np.int64)
        mask[rows] = True
        return mask


def _query(condition: Condition, reader: Any) -> Any:
    fields = (condition.field,) if condition.field else FIELDS
    if condition.kind == "prefix":
        query = Or([_prefix(field, condition.text, reader) for field in fields])
    else:
        words = terms(condition.text)
        if not words:
            return None
        if len(words) == 1:
            query = Or([Term(field, words[0]) for field in fields])
        else:
            query = Or([Phrase(field, words) for field in fields])
    return Not(query) if condition.negated else query


def _prefix(field: str, beginning: str, reader: Any) -> Any:
    """The terms that begin so, at most MAX_PREFIX_EXPANSIONS of them in alphabetical order.

    Terms are stems, so that a beginning longer than a word's stem is looked for by its own stem.
    """
    folded = beginning.lower()
    found = _expand(reader, field, folded)
    if not found:
        stems = terms(beginning)
        found = _expand(reader, field, stems[0]) if stems else []
    return Or([Term(field, term) for term in found]) if found else NullQuery


def _expand(reader: Any, field: str, beginning: str) -> list[str]:
    found = islice(reader.expand_prefix(field, beginning), MAX_PREFIX_EXPANSIONS)
    return [term.decode() for term in found]
