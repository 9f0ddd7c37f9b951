"""The keyword index: Whoosh's, and the posting arrays compiled from it; written or merged from two.

Whoosh analyses and writes: each field as the terms that `kb.text.analysis` makes of it, since what analyses must not
become part of the index (`kb.retrieval.phrases`). Its postings are then read out, field by field, and laid out as
`kb.retrieval.postings` maps them.
"""

from __future__ import annotations

import shutil
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from whoosh.index import create_in, open_dir

from indexer.passages.texts import Fields
from indexer.writers.term_rows import TermRows, join
from kb.compute.arrays import int64s
from kb.retrieval.phrases import DOCUMENTS, make_schema
from kb.text.analysis import make_analyzer
from kb.text.bm25f import FIELDS, BM25FParameters, impacts, inverse_document_frequency

WRITER_MEMORY_MB = 128
MAX_SEGMENTS = 8
MERGED_SEGMENTS = 5
"""How many of the smallest segments become one where there are more than MAX_SEGMENTS: a passage is written anew a
number of times that grows with the logarithm of the library alone."""
_MAX_FREQUENCY = np.iinfo(np.uint16).max


def write_whoosh(folder: Path, passages: Iterable[Fields]) -> None:
    """Write one segment whose document numbers are the places of `passages`; each is the passage of that number.

    The folder is made.
    """
    folder.mkdir(parents=True)
    analyse = make_analyzer()
    writer = create_in(str(folder), make_schema()).writer(limitmb=WRITER_MEMORY_MB)
    try:
        count = 0
        for texts in passages:
            terms = ([token.text for token in analyse(text, mode="index")] for text in texts)
            writer.add_document(**dict(zip(FIELDS, terms, strict=True)))
            count += 1
        writer.commit(optimize=True)
    except BaseException:
        writer.cancel()
        raise
    # Whoosh leaves the file of its own writer's lock behind; a published generation has no writer.
    for lock in folder.glob("*_WRITELOCK"):
        lock.unlink()
    np.save(folder / DOCUMENTS, np.arange(count, dtype=np.int32), allow_pickle=False)


def compile_postings(
    whoosh: Path, folder: Path, passage_count: int, parameters: BM25FParameters
) -> int:
    """Write the postings of Whoosh in `whoosh` as `kb.retrieval.postings` reads them. Returns the number of terms."""
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
    per_term = np.bincount(postings // max(1, passage_count), minlength=len(terms))
    starts = np.concatenate(([0], np.cumsum(per_term))).astype(np.int64)
    owners = postings % max(1, passage_count)
    _write_postings(folder, TermRows(terms, starts, owners), table, lengths, parameters)
    return len(terms)


def merge_postings(
    folder: Path,
    base: Path,
    additions: Path,
    kept: NDArray[np.int64],
    new: NDArray[np.int64],
    parameters: BM25FParameters,
) -> int:
    """Write into `folder` the postings of two generations' folders as one; the number of terms.

    `kept` and `new` give each passage of the one and of the other its new number, -1 where it is left out.
    """
    sides = [_load_postings(place / "postings") for place in (base, additions)]
    one, other = (
        TermRows(side["terms"], side["starts"], side["passages"].astype(np.int64)) for side in sides
    )
    both, stays, places = join(one, other, kept, new)
    tables = [side["frequencies"] for side in sides]
    there = tables[0] if stays.all() else tables[0][stays]
    lengths = np.zeros((int((kept >= 0).sum()) + len(new), len(FIELDS)), dtype=np.uint32)
    lengths[kept[kept >= 0]] = sides[0]["lengths"][kept >= 0]
    lengths[new] = sides[1]["lengths"]
    _write_postings(
        folder / "postings", both, np.insert(there, places, tables[1], axis=0), lengths, parameters
    )
    return len(both.terms)


def merge_segments(
    folder: Path,
    base: Path,
    copy: Callable[[str, Path, str], None],
    additions: Path,
    kept: NDArray[np.int64],
    new: NDArray[np.int64],
    fields: Callable[[Iterable[int]], Iterable[Fields]],
    *,
    compact: bool = False,
) -> None:
    """Copy the Whoosh segments of both generations into `folder`, documents renumbered, those without any left out.

    `copy` copies a folder of the base, without the file with that name, and checks the copy
    (`indexer.generations.base`).

    Above MAX_SEGMENTS the smallest are written anew as one, from the texts that `fields` gives for passages; with
    `compact`, all are that hold a document which is gone, so that nothing of its words is left.
    """
    target = folder / "keyword"
    target.mkdir()
    found: list[tuple[Path, NDArray[np.int32]]] = []
    for place, places in ((base, kept), (additions, new)):
        for segment in sorted((place / "keyword").iterdir()):
            old = np.load(segment / DOCUMENTS, allow_pickle=False)
            documents = np.where(old >= 0, places[old], -1).astype(np.int32)
            if (documents >= 0).any():
                found.append((segment, documents))
    if len(found) > MAX_SEGMENTS:
        living = [int((documents >= 0).sum()) for _, documents in found]
        small = set(sorted(range(len(found)), key=living.__getitem__)[:MERGED_SEGMENTS])
    else:
        small = set()
    if compact:
        small |= {n for n, (_, documents) in enumerate(found) if (documents < 0).any()}
    for number, (segment, documents) in enumerate(found):
        if number not in small:
            copied = target / f"{number:05}"
            if segment.is_relative_to(base):
                copy(f"keyword/{segment.name}", copied, DOCUMENTS)
            else:
                shutil.copytree(segment, copied, ignore=shutil.ignore_patterns(DOCUMENTS))
            np.save(copied / DOCUMENTS, documents, allow_pickle=False)
    if small:
        rows = np.sort(np.concatenate([found[number][1] for number in small]))
        rows = rows[rows >= 0].astype(np.int32)
        merged = target / f"{len(found):05}"
        write_whoosh(merged, fields(rows.tolist()))
        np.save(merged / DOCUMENTS, rows, allow_pickle=False)


def _load_postings(folder: Path) -> dict[str, NDArray[Any]]:
    return {
        name: np.load(folder / f"{name}.npy", allow_pickle=False)
        for name in ("terms", "starts", "passages", "frequencies", "lengths")
    }


def _write_postings(
    folder: Path,
    found: TermRows,
    table: NDArray[np.uint16],
    lengths: NDArray[np.uint32],
    parameters: BM25FParameters,
) -> None:
    """Write the arrays of `kb.retrieval.postings`. `table`: frequencies of postings; `lengths`: those of passages."""
    folder.mkdir(parents=True)
    passages = found.rows.astype(np.int32)
    arrays: dict[str, NDArray[Any]] = {
        "terms": found.terms,
        "starts": found.starts,
        "passages": passages,
        "frequencies": table,
        "lengths": lengths,
        "idf": inverse_document_frequency(len(lengths), np.diff(found.starts)),
        "impacts": impacts(table, lengths, passages, parameters),
    }
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values, allow_pickle=False)


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
    return names, int64s(sizes), int64s(passages), int64s(frequencies)
