"""Merges a generation with a small one of new articles, without the removed articles.

The result is what one build of the final set would write: the same text, numbering, postings and vectors. Only the
Whoosh index differs: it keeps the old segments and gets a small new one, and `keyword/*/documents.npy` maps its
documents to passages. The cost is a few passes over the arrays, however small the change.
"""

from __future__ import annotations

import shutil
import sqlite3
from bisect import bisect_left
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from indexer.embedding.vector_rows import copy_rows
from indexer.generations.base import Base
from indexer.passages.texts import Library
from indexer.passages.tokens import TokenCounter
from indexer.writers.articles import MergedOrdinals, merge_stores
from indexer.writers.keywords import merge_postings, merge_segments
from indexer.writers.merge import Merge
from indexer.writers.wording import merge_wording
from kb.retrieval.wording import FOLDER as WORDING
from kb.schema.passage import Passage
from kb.storage.articles import FILE as STORE
from kb.text.bm25f import BM25FParameters


class Merged(NamedTuple):
    """The open library of the result, the number of its terms, and how the names were merged."""

    library: Library
    terms: int
    names: Merge


def merge_generations(
    folder: Path,
    start: Base,
    removed_ids: Collection[str],
    additions: Path,
    counter: TokenCounter,
    parameters: BM25FParameters,
    *,
    compact: bool = False,
) -> Merged:
    """Write into `folder` the generation `start` without the articles `removed_ids`, and with those in `additions`.

    `additions` is the folder of a generation. The encoder is not written. With `compact`, no word of a removed article
    is left in the files. Raises IndexDamaged for a damaged segment of `start`.
    """
    base = start.folder
    ordinals = merge_stores(folder / STORE, base / STORE, removed_ids, additions / STORE)
    old, new = (np.load(place / "passages.npy", allow_pickle=False) for place in (base, additions))
    old_at = _renumbered(old, ordinals.articles, ordinals.sections)
    new_at = _renumbered(new, ordinals.new_articles, ordinals.new_sections)
    passages = _merge_passages(
        folder / STORE, old_at, new_at, ordinals.articles[old["article"]] >= 0
    )
    np.save(
        folder / "passages.npy",
        np.concatenate((old_at, new_at))[passages.order],
        allow_pickle=False,
    )
    sentences = _merge_sentences(folder, base, additions, passages)
    names = _merge_names(base, additions, ordinals)
    _merge_vectors(folder, base, additions, ordinals, passages, sentences, names)
    merge_wording(folder / WORDING, base / WORDING, additions / WORDING, passages.order)
    terms = merge_postings(folder, base, additions, passages.kept, passages.new, parameters)
    library = Library.load(folder, counter)
    merge_segments(
        *(folder, base, start.copy, additions, passages.kept, passages.new, library.fields),
        compact=compact,
    )
    return Merged(library, terms, names)


def _renumbered(
    passages: NDArray[Any], articles: NDArray[np.int64], sections: NDArray[np.int64]
) -> NDArray[Any]:
    """The rows with new ordinals. Rows of removed articles get invalid ordinals and must not be used."""
    renumbered = passages.copy()
    renumbered["article"] = articles[passages["article"]]
    renumbered["section"] = sections[passages["section"]]
    return renumbered


def _merge_passages(
    store: Path, old: NDArray[Any], new: NDArray[Any], stays: NDArray[np.bool_]
) -> Merge:
    """Merge both by id. Each is sorted already, so the position of each new row is found by binary search."""
    there = np.flatnonzero(stays)
    section_ids = _section_ids(store)

    def passage_id(row: Any) -> str:
        article, section = section_ids[int(row["section"])]
        return Passage(article, section, int(row["start"]), int(row["end"]), 0).id

    # For each new passage, the number of old passages before it.
    before = np.array(
        [
            bisect_left(there, passage_id(row), key=lambda place: passage_id(old[place]))
            for row in new
        ],
        dtype=np.int64,
    )
    kept = np.full(len(old), -1, dtype=np.int64)
    kept[there] = np.arange(len(there)) + np.searchsorted(before, np.arange(len(there)), "right")
    return Merge(kept, before + np.arange(len(new)))


def _section_ids(store: Path) -> list[tuple[str, str]]:
    """The id of each section's article and its own id, in the order of the sections."""
    with closing(sqlite3.connect(store)) as connection:
        return connection.execute(
            "SELECT a.id, s.id FROM sections s JOIN articles a ON a.ordinal = s.article"
            " ORDER BY s.ordinal"
        ).fetchall()


def _merge_sentences(folder: Path, base: Path, additions: Path, passages: Merge) -> Merge:
    """Write `sentences.npy`. The sentences of a passage stay together and in order."""
    old, new = (np.load(place / "sentences.npy", allow_pickle=False) for place in (base, additions))
    owners = np.concatenate((passages.kept[old["passage"]], passages.new[new["passage"]]))
    there = np.flatnonzero(owners >= 0)
    order = there[np.argsort(owners[there], kind="stable")]
    merged = np.concatenate((old, new))[order]
    merged["passage"] = owners[order]
    np.save(folder / "sentences.npy", merged, allow_pickle=False)
    places = np.full(len(old) + len(new), -1, dtype=np.int64)
    places[order] = np.arange(len(order))
    return Merge(places[: len(old)], places[len(old) :])


def _merge_vectors(
    folder: Path,
    base: Path,
    additions: Path,
    ordinals: MergedOrdinals,
    passages: Merge,
    sentences: Merge,
    names: Merge,
) -> None:
    (folder / "vectors").mkdir()
    sections = Merge(ordinals.sections, ordinals.new_sections)
    merges = {
        "passages": passages,
        "codes": passages,
        "code_scales": passages,
        "sentences": sentences,
        "sentence_scales": sentences,
        "names": names,
        "name_scales": names,
        "care": sections,
        "kinds": sections,
        "kind_scales": sections,
    }
    for name, merge in merges.items():
        file = f"vectors/{name}.npy"
        copy_rows(folder / file, base / file, additions / file, merge.order)
    # It depends only on the model. A generation without sections has none.
    learnt = base if len(ordinals.sections) else additions
    shutil.copyfile(learnt / "vectors" / "symptom.npy", folder / "vectors" / "symptom.npy")


def _merge_names(base: Path, additions: Path, ordinals: MergedOrdinals) -> Merge:
    """Merge the names. The names of an article stay together and in order."""
    counts, owners = [], []
    for place, articles in ((base, ordinals.articles), (additions, ordinals.new_articles)):
        starts = np.load(place / "vectors" / "name_starts.npy", allow_pickle=False)
        counts.append(int(starts[-1]))
        owners.append(np.repeat(articles, np.diff(starts)))
    owner = np.concatenate(owners)
    there = np.flatnonzero(owner >= 0)
    order = there[np.argsort(owner[there], kind="stable")]
    places = np.full(len(owner), -1, dtype=np.int64)
    places[order] = np.arange(len(order))
    return Merge(places[: counts[0]], places[counts[0] :])
