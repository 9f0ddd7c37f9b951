"""Given a question's operators, which passages match: Whoosh's part in answering.

A plain question never comes here. The folder `keyword/` holds one or more Whoosh indexes of one segment each, in
folders whose names sort as they were written. `documents.npy` beside each, int32, gives the passage of each of its
documents, or -1 where the passage is no more.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh.fields import TEXT, Schema
from whoosh.filedb.filestore import RamStorage
from whoosh.query import And, Every, Not, NullQuery, Or, Phrase, Term
from whoosh.reading import MultiReader
from whoosh.searching import Searcher

from kb.analysis import make_analyzer, terms
from kb.bm25f import FIELDS
from kb.question import Condition

MAX_PREFIX_EXPANSIONS = 64
DOCUMENTS = "documents.npy"


def make_schema() -> Any:
    """The Whoosh schema: one document a passage, the four fields with positions, nothing stored."""
    return Schema(**{field: TEXT(analyzer=make_analyzer(), phrase=True) for field in FIELDS})


class KeywordIndex:
    """The Whoosh indexes of one generation.

    Opening them unpickles, and Whoosh does so again at every question. So their files are read once, by `read`, which
    is to raise for any that is not what was written, and are answered from as they were then: some 30 MB for 36,000
    passages. Whoosh's readers may not be shared between threads: every call has its own.
    """

    def __init__(
        self, folder: Path, passage_count: int, read: Callable[[Path], bytes] = Path.read_bytes
    ) -> None:
        self._passage_count = passage_count
        self._indexes = []
        documents = [np.zeros(0, dtype=np.int32)]
        for segment in sorted(path for path in folder.iterdir() if path.is_dir()):
            storage = RamStorage()
            for path in sorted(segment.iterdir()):
                content = read(path)
                if path.name == DOCUMENTS:
                    documents.append(np.load(io.BytesIO(content), allow_pickle=False))
                else:
                    storage.files[path.name] = content
            self._indexes.append(storage.open_index())
        self._documents = np.concatenate(documents)

    def matching(self, conditions: Sequence[Condition]) -> NDArray[np.bool_]:
        """Which passages meet all conditions, bool (N,). A condition of nothing but stop words always holds."""
        mask = np.zeros(self._passage_count, dtype=np.bool_)
        if not self._indexes:
            return mask
        readers = [index.reader() for index in self._indexes]
        reader = MultiReader(readers) if len(readers) > 1 else readers[0]
        with Searcher(reader) as searcher:
            parts = [self._query(condition, reader) for condition in conditions]
            query = And([Every(), *(part for part in parts if part is not None)])
            found = np.fromiter(searcher.docs_for_query(query), dtype=np.int64)
        rows = self._documents[found]
        mask[rows[rows >= 0]] = True
        return mask

    def _query(self, condition: Condition, reader: Any) -> Any:
        fields = (condition.field,) if condition.field else FIELDS
        if condition.kind == "prefix":
            query = Or([self._prefix(field, condition.text, reader) for field in fields])
        else:
            words = terms(condition.text)
            if not words:
                return None
            if len(words) == 1:
                query = Or([Term(field, words[0]) for field in fields])
            else:
                query = Or([Phrase(field, words) for field in fields])
        return Not(query) if condition.negated else query

    def _prefix(self, field: str, beginning: str, reader: Any) -> Any:
        """The terms that begin so, at most MAX_PREFIX_EXPANSIONS of them in alphabetical order.

        Terms are stems, so that a beginning longer than a word's stem is looked for by its own stem.
        """
        found = self._expand(reader, field, beginning.lower())
        if not found:
            stems = terms(beginning)
            found = self._expand(reader, field, stems[0]) if stems else []
        return Or([Term(field, term) for term in found]) if found else NullQuery

    def _expand(self, reader: Any, field: str, beginning: str) -> list[str]:
        living = (
            term.decode()
            for term in reader.expand_prefix(field, beginning)
            if any(self._documents[document] >= 0 for document in _holders(reader, field, term))
        )
        return list(islice(living, MAX_PREFIX_EXPANSIONS))


def _holders(reader: Any, field: str, term: bytes) -> Iterator[int]:
    """The documents that hold a term."""
    yield from reader.postings(field, term).all_ids()
