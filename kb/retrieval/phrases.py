"""The passages that hold a phrase: Whoosh's part in answering.

A question without a phrase does not use it. The folder `keyword/` holds one or more Whoosh indexes of one segment
each, in folders whose names sort as they were written. `documents.npy` beside each, int32, gives the passage of each of
its documents, or -1 where the passage is no more.

Whoosh pickles an index's schema, and so the class of everything in it by the module it lies in. So the schema holds
Whoosh's own classes alone, and passages are written as terms (`indexer.writers.keywords`): an index outlives any change
of where this program's modules lie.
"""

from __future__ import annotations

import io
import threading
from array import array
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh.analysis import SpaceSeparatedTokenizer
from whoosh.fields import TEXT, Schema
from whoosh.filedb.filestore import RamStorage
from whoosh.index import IndexVersionError

from kb.compute.arrays import int64s
from kb.schema.errors import IndexDamaged, IndexFormatMismatch, IndexUnusable
from kb.text.bm25f import FIELDS

DOCUMENTS = "documents.npy"

MAX_KEPT_POSITIONS = 2_000_000
"""Maximum number of positions in the cache, 8 bytes each; reading one from Whoosh takes 2 µs."""

_FEW = 4
"""Passages are looked up one by one where fewer than one in this many that hold a term are asked for."""

_PLACE_BITS = np.int64(32)
"""A passage and a place in it make one number: the passage in its upper bits."""


_REMEDY = "Run `kb build` to make the index anew."


def make_schema() -> Any:
    """The Whoosh schema: one document a passage, the four fields with positions, nothing stored.

    Its analyser is never called, since documents are given as lists of terms.
    """
    return Schema(
        **{field: TEXT(analyzer=SpaceSeparatedTokenizer(), phrase=True) for field in FIELDS}
    )


class KeywordIndex:
    """The Whoosh indexes of one generation. Safe to share between threads.

    Opening them unpickles, and Whoosh does so again whenever it is asked. So their files are read once, by `read`,
    which is to raise for any that is not what was written, and are answered from as they were then: some 30 MB for
    36,000 passages. Whoosh's readers may not be shared between threads: every call has its own.
    """

    def __init__(
        self,
        folder: Path,
        read: Callable[[Path], bytes] = Path.read_bytes,
        max_kept_positions: int = MAX_KEPT_POSITIONS,
    ) -> None:
        """Raises IndexDamaged, or IndexFormatMismatch where another version of Whoosh or of this program wrote it."""
        self._indexes = []
        self._documents: list[NDArray[np.int32]] = []
        for segment in sorted(path for path in folder.iterdir() if path.is_dir()):
            with _as_unusable(segment):
                storage = RamStorage()
                for path in sorted(segment.iterdir()):
                    content = read(path)
                    if path.name == DOCUMENTS:
                        self._documents.append(np.load(io.BytesIO(content), allow_pickle=False))
                    else:
                        storage.files[path.name] = content
                self._indexes.append(storage.open_index())
        self._folder = folder
        self._kept: OrderedDict[tuple[str, str], NDArray[np.int64]] = OrderedDict()
        self._kept_lock = threading.Lock()
        self._max_kept = max_kept_positions

    def holding(
        self, phrase: Sequence[str], field: str, among: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Which of the passages `among`, bool (N,), hold the terms in a row in the field, bool (N,).

        Raises IndexDamaged where Whoosh cannot read what it wrote.
        """
        with _as_unusable(self._folder):
            return self._holding(phrase, field, among)

    @property
    def segments(self) -> tuple[NDArray[np.int32], ...]:
        """The passages of each segment's documents, int32, -1 for one that is no more."""
        return tuple(self._documents)

    def _holding(
        self, phrase: Sequence[str], field: str, among: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        readers: list[Any] = []
        places: NDArray[np.int64] | None = None
        try:
            for offset, term in enumerate(phrase):
                # Where the phrase would begin if this were its place in it.
                begins = self._positions(term, field, among, readers) - offset
                if places is not None:
                    begins = np.intersect1d(places, begins, assume_unique=True)
                places = begins
                if not len(places):
                    break
        finally:
            for reader in readers:
                reader.close()
        held = np.zeros(len(among), dtype=np.bool_)
        if places is not None:
            held[places >> _PLACE_BITS] = True
        return held & among

    def _positions(
        self, term: str, field: str, among: NDArray[np.bool_], readers: list[Any]
    ) -> NDArray[np.int64]:
        """The places of a term in a field, ascending: all of them, or at least those in the passages `among`."""
        key = (field, term)
        with self._kept_lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        if not readers:
            readers.extend(index.reader() for index in self._indexes)
        parts = [
            _read(reader, field, term, documents, among)
            for reader, documents in zip(readers, self._documents, strict=True)
        ]
        places = np.sort(
            np.concatenate([np.zeros(0, dtype=np.int64), *(part for part, _ in parts)])
        )
        if all(whole for _, whole in parts):
            self._keep(key, places)
        return places

    def _keep(self, key: tuple[str, str], places: NDArray[np.int64]) -> None:
        with self._kept_lock:
            self._kept[key] = places
            total = sum(map(len, self._kept.values()))
            while total > self._max_kept:
                total -= len(self._kept.popitem(last=False)[1])


@contextmanager
def _as_unusable(place: Path) -> Iterator[None]:
    """Turn any error within into one about the index in `place`, since unpickling may raise anything."""
    try:
        yield
    except IndexUnusable:
        raise
    except (ImportError, AttributeError, IndexVersionError) as error:
        raise IndexFormatMismatch(
            f"{place}: was written by another version of this program or of Whoosh ({type(error).__name__}: {error}). "
            f"{_REMEDY}"
        ) from error
    except Exception as error:
        raise IndexDamaged(
            f"{place}: cannot be opened ({type(error).__name__}: {error}). {_REMEDY}"
        ) from error


def _read(
    reader: Any, field: str, term: str, documents: NDArray[np.int32], among: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], bool]:
    """The places of a term in one segment, and whether they are all of them."""
    if (field, term) not in reader:
        return np.zeros(0, dtype=np.int64), True
    matcher = reader.postings(field, term)
    asked = np.flatnonzero((documents >= 0) & among[documents])
    whole = _FEW * len(asked) > reader.doc_frequency(field, term)
    owners, sizes, positions = array("q"), array("q"), array("q")

    def take() -> None:
        found = matcher.value_as("positions")
        owners.append(matcher.id())
        sizes.append(len(found))
        positions.extend(found)

    if whole:
        while matcher.is_active():
            take()
            matcher.next()
    else:
        for document in asked.tolist():
            matcher.skip_to(document)
            if not matcher.is_active():
                break
            if matcher.id() == document:
                take()
    passages = np.repeat(documents[int64s(owners)].astype(np.int64), int64s(sizes))
    places = (passages << _PLACE_BITS) + int64s(positions)
    return places[passages >= 0], whole
