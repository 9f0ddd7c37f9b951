"""Given passages in order, the keyword index: Whoosh's, and the arrays compiled from it.

Whoosh analyses and writes; its postings are then read out, field by field, and laid out as `kb.postings` maps them.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh.index import create_in, open_dir

from kb.bm25f import FIELDS, BM25FParameters, impacts, inverse_document_frequency
from kb.keyword import make_schema

WRITER_MEMORY_MB = 128
_MAX_FREQUENCY = np.iinfo(np.uint16).max

Fields = tuple[str, str, str, str]
"""The texts of one passage's fields, in the order of kb.bm25f.FIELDS."""


def write_whoosh(folder: Path, passages: Iterable[Fields]) -> None:
    """Write one segment whose document numbers are the places of `passages`. The folder is made."""
    folder.mkdir(parents=True)
    writer = create_in(str(folder), make_schema()).writer(limitmb=WRITER_MEMORY_MB)
    try:
        for texts in passages:
            writer.add_document(**dict(zip(FIELDS, texts, strict=True)))
        writer.commit(optimize=True)
    except BaseException:
        writer.cancel()
        raise
    # Whoosh leaves the file of its own writer's lock behind; a published generation has no writer.
    for lock in folder.glob("*_WRITELOCK"):
        lock.unlink()


def compile_postings(
    whoosh: Path, folder: Path, passage_count: int, parameters: BM25FParameters
) -> int:
    """Read the Whoosh index in `whoosh` and write the arrays of kb.postings into `folder`; the number of terms."""
    folder.mkdir(parents=True)
    fields = []
    index = open_dir(str(whoosh), readonly=True)
    with index.reader() as reader:
        fields = [_read_field(reader, field) for field in FIELDS]
    index.close()

    terms = np.array(sorted({term for names, *_ in fields for term in names}), dtype=np.bytes_)
    keys, counts = [], []
    for names, sizes, owners, frequencies in fields:
        rows = (
            np.searchsorted(terms, np.array(names, dtype=terms.dtype))
            if names
            else np.zeros(0, np.int64)
        )
        keys.append(np.repeat(rows, sizes) * passage_count + owners)
        counts.append(frequencies)
    postings = np.unique(np.concatenate(keys)) if keys else np.zeros(0, np.int64)
    table = np.zeros((len(postings), len(FIELDS)), dtype=np.uint16)
    lengths = np.zeros((passage_count, len(FIELDS)), dtype=np.uint32)
    for field, (key, frequency) in enumerate(zip(keys, counts, strict=True)):
        table[np.searchsorted(postings, key), field] = np.minimum(frequency, _MAX_FREQUENCY)
        lengths[:, field] = np.bincount(
            key % passage_count, weights=frequency, minlength=passage_count
        )
    per_term = np.bincount(postings // passage_count, minlength=len(terms))
    passages = (postings % passage_count).astype(np.int32)
    arrays: dict[str, NDArray[Any]] = {
        "terms": terms,
        "starts": np.concatenate(([0], np.cumsum(per_term))).astype(np.int64),
        "passages": passages,
        "frequencies": table,
        "lengths": lengths,
        "idf": inverse_document_frequency(passage_count, per_term),
        "impacts": impacts(table, lengths, passages, parameters),
    }
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values, allow_pickle=False)
    return len(terms)


def _read_field(
    reader: Any, field: str
) -> tuple[list[bytes], NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The field's terms, how many postings each has, and all postings' passages and frequencies."""
    names: list[bytes] = []
    sizes, passages, frequencies = array("q"), array("q"), array("q")
    for term in reader.lexicon(field):
        names.append(term)
        before = len(passages)
        matcher = reader.postings(field, term)
        while matcher.is_active():
            passages.append(matcher.id())
            frequencies.append(int(matcher.weight()))
            matcher.next()
        sizes.append(len(passages) - before)
    return names, _int64(sizes), _int64(passages), _int64(frequencies)


def _int64(values: array[int]) -> NDArray[np.int64]:
    return np.frombuffer(values, dtype=np.int64) if values else np.zeros(0, dtype=np.int64)
