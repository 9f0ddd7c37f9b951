"""Given a generation, the articles that leave it and a small one of those that come, the two as one.

The result is what one build of the final set would write: the same text, numbering, postings and vectors. Only the
Whoosh index is another: it keeps the old segments and gets a small new one, and its documents are numbered by
`keyword/*/documents.npy`. The cost is a few passes over the arrays, however little changes.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection
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
from kb.schema.passage import Passage
from kb.storage.articles import FILE as STORE
from kb.storage.articles import ArticleStore
from kb.text.bm25f import BM25FParameters


class Patched(NamedTuple):
    """The library of the result, open; the number of its terms; and how the names of both became its names."""

    library: Library
    terms: int
    names: Merge


def patch(
    folder: Path,
    start: Base,
    gone: Collection[str],
    extra: Path,
    counter: TokenCounter,
    parameters: BM25FParameters,
    *,
    compact: bool = False,
) -> Patched:
    """Write into `folder` what the generation `start` is without the articles `gone` and with those of `extra`.

    `extra` is the folder of a generation. Of the encoder, nothing is written. With `compact` nothing is left of the
    words of what is gone, now or before. Raises IndexDamaged for a segment of `start` that is not what was written.
    """
    base = start.folder
    ordinals = merge_stores(folder / STORE, base / STORE, gone, extra / STORE)
    old, new = (np.load(place / "passages.npy", allow_pickle=False) for place in (base, extra))
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
    sentences = _merge_sentences(folder, base, extra, passages)
    names = _merge_names(base, extra, ordinals)
    _merge_vectors(folder, base, extra, ordinals, passages, sentences, names)
    terms = merge_postings(folder, base, extra, passages.kept, passages.new, parameters)
    library = Library.load(folder, counter)
    merge_segments(
        *(folder, base, start.copy, extra, passages.kept, passages.new, library.fields),
        compact=compact,
    )
    return Patched(library, terms, names)


def _renumbered(
    passages: NDArray[Any], articles: NDArray[np.int64], sections: NDArray[np.int64]
) -> NDArray[Any]:
    """The rows with new ordinals. Those of articles that are gone get nonsense and are not to be used."""
    renumbered = passages.copy()
    renumbered["article"] = articles[passages["article"]]
    renumbered["section"] = sections[passages["section"]]
    return renumbered


def _merge_passages(
    store: Path, old: NDArray[Any], new: NDArray[Any], stays: NDArray[np.bool_]
) -> Merge:
    """Both in the order of their ids, which each has already: every new one is looked up among the old ones."""
    there = np.flatnonzero(stays)
    articles = ArticleStore(store)
    try:

        def name(row: Any) -> str:
            article = articles.article_head(int(row["article"])).id
            section = articles.section(int(row["section"])).id
            return Passage(article, section, int(row["start"]), int(row["end"]), 0).id

        before = np.zeros(len(new), dtype=np.int64)  # how many old ones come first
        for place, row in enumerate(new):
            wanted, low, high = name(row), 0, len(there)
            while low < high:
                middle = (low + high) // 2
                if name(old[there[middle]]) < wanted:
                    low = middle + 1
                else:
                    high = middle
            before[place] = low
    finally:
        articles.close()
    kept = np.full(len(old), -1, dtype=np.int64)
    kept[there] = np.arange(len(there)) + np.searchsorted(before, np.arange(len(there)), "right")
    return Merge(kept, before + np.arange(len(new)))


def _merge_sentences(folder: Path, base: Path, extra: Path, passages: Merge) -> Merge:
    """Write `sentences.npy`: each passage's sentences stay together and in their order."""
    old, new = (np.load(place / "sentences.npy", allow_pickle=False) for place in (base, extra))
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
    extra: Path,
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
        copy_rows(folder / file, base / file, extra / file, merge.order)
    # Of the model alone; only what has no section has none.
    learnt = base if len(ordinals.sections) else extra
    shutil.copyfile(learnt / "vectors" / "symptom.npy", folder / "vectors" / "symptom.npy")


def _merge_names(base: Path, extra: Path, ordinals: MergedOrdinals) -> Merge:
    """Every article's names stay together and in their order."""
    counts, owners = [], []
    for place, articles in ((base, ordinals.articles), (extra, ordinals.new_articles)):
        starts = np.load(place / "vectors" / "name_starts.npy", allow_pickle=False)
        counts.append(int(starts[-1]))
        owners.append(np.repeat(articles, np.diff(starts)))
    owner = np.concatenate(owners)
    there = np.flatnonzero(owner >= 0)
    order = there[np.argsort(owner[there], kind="stable")]
    places = np.full(len(owner), -1, dtype=np.int64)
    places[order] = np.arange(len(order))
    return Merge(places[: counts[0]], places[counts[0] :])
