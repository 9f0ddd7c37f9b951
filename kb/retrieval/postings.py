"""BM25F scores over memory-mapped postings.

Memory-mapped arrays in the folder `postings/`, T terms, P postings, N passages:

    terms.npy        bytes (T,)        UTF-8, sorted
    starts.npy       int64 (T + 1,)    term t has the postings starts[t] to starts[t + 1]
    passages.npy     int32 (P,)        ascending within a term
    frequencies.npy  uint16 (P, 4)     raw, by field, in the order of kb.text.bm25f.FIELDS
    lengths.npy      uint32 (N, 4)     terms of each field
    idf.npy          float32 (T,)
    impacts.npy      float32 (P,)      derived: the saturated, weighted frequency

A plain question reads `terms`, `starts`, `passages`, `idf` and `impacts` alone. The raw arrays are there for the
operators of a question, which may ask for words in one field, and so that the weights can be changed without reading an
article.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import mapped
from kb.compute.kernels import add_at, kept_of, lift_at
from kb.compute.top_k import top_k
from kb.retrieval.keyword_scores import (
    VARIANT_WEIGHT,
    KeywordScores,
    MatchedConcept,
    MatchedTerm,
    Synonyms,
    Variant,
)
from kb.text.bm25f import FIELDS

MAX_EXPANSIONS = 64
"""Maximum number of terms that a word's beginning stands for."""

SCORE_ROUNDING = 1e-3
"""Maximum error of a sum of scores in float32."""

PRUNED_FROM = 200_000
"""Minimum number of postings of other names for which pruning is quicker than scoring all of them."""


TermScores = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Indices of passages, ascending, each once, and a term's score in each."""


@dataclass(frozen=True, slots=True)
class TopK:
    """The passages whose scores must be complete: the best `k` that `mask`, bool (N,), allows; None allows all."""

    k: int
    mask: NDArray[np.bool_] | None = None


def find_row(terms: NDArray[np.bytes_], term: str) -> int | None:
    """The row of a term in a sorted table of UTF-8 terms, or None. Binary search."""
    key = term.encode()
    if len(key) > terms.dtype.itemsize:  # numpy would widen the whole table to compare
        return None
    row = int(terms.searchsorted(np.bytes_(key)))
    return row if row < len(terms) and terms[row] == key else None


class Postings:
    """The compiled keyword index of one generation. Read-only and safe to share between threads."""

    def __init__(self, folder: Path) -> None:
        self._terms = mapped(folder, "terms")
        self._starts = mapped(folder, "starts")
        self._passages = mapped(folder, "passages")
        self._frequencies = mapped(folder, "frequencies")
        self._idf = mapped(folder, "idf")
        self._impacts = mapped(folder, "impacts")
        lengths = mapped(folder, "lengths")
        self.passage_count = len(lengths)
        self.title_terms = float(lengths[:, FIELDS.index("title")].mean()) if len(lengths) else 0.0
        """Number of terms in a title, averaged over passages."""
        self.idf_of_rarest = float(np.log1p((self.passage_count - 0.5) / 1.5))
        """The idf of a term that stands in a single passage."""

    def find(self, term: str) -> MatchedTerm | None:
        """The term's postings, or None where no passage holds it. Binary search."""
        row = find_row(self._terms, term)
        if row is None:
            return None
        return MatchedTerm(
            term, float(self._idf[row]), int(self._starts[row]), int(self._starts[row + 1])
        )

    def holding(self, term: str, fields: Sequence[str] = FIELDS) -> NDArray[np.bool_]:
        """Which passages hold the term in one of the fields, bool (N,)."""
        mask = np.zeros(self.passage_count, dtype=np.bool_)
        found = self.find(term)
        if found is not None:
            there = self._in_fields(found.start, found.end, fields)
            mask[self._passages[found.start : found.end][there]] = True
        return mask

    def beginning_with(
        self, beginning: str, fields: Sequence[str] = FIELDS, limit: int = MAX_EXPANSIONS
    ) -> tuple[list[str], NDArray[np.bool_]]:
        """The first `limit` terms, in alphabetical order, with this beginning in one of the fields.

        The mask, bool (N,), marks the passages that hold one of them there.
        """
        mask = np.zeros(self.passage_count, dtype=np.bool_)
        key = beginning.encode()
        if not key or len(key) > self._terms.dtype.itemsize:
            return [], mask
        # No UTF-8 holds the byte FF, so that it stands behind whatever begins so.
        last = np.bytes_((key + b"\xff")[: self._terms.dtype.itemsize])
        first_row = int(np.searchsorted(self._terms, np.bytes_(key)))
        end_row = int(np.searchsorted(self._terms, last, side="right"))
        starts = self._starts[first_row : end_row + 1]
        if first_row == end_row:
            return [], mask
        there = self._in_fields(int(starts[0]), int(starts[-1]), fields)
        rows = np.flatnonzero(np.logical_or.reduceat(there, starts[:-1] - starts[0]))[:limit]
        for row in rows.tolist():
            held = there[starts[row] - starts[0] : starts[row + 1] - starts[0]]
            mask[self._passages[starts[row] : starts[row + 1]][held]] = True
        return [self._terms[first_row + row].decode() for row in rows.tolist()], mask

    def _in_fields(self, start: int, end: int, fields: Sequence[str]) -> NDArray[np.bool_]:
        """Which of the postings `start` to `end` are in one of the fields."""
        if len(fields) == len(FIELDS):  # each is in some
            return np.ones(end - start, dtype=np.bool_)
        columns = [FIELDS.index(field) for field in fields]
        return np.asarray((self._frequencies[start:end][:, columns] > 0).any(axis=1))

    def score(
        self,
        terms: Sequence[str],
        concepts: Sequence[Synonyms] = (),
        wanted: TopK | None = None,
    ) -> KeywordScores:
        """Score all passages against the distinct terms of a question; with `wanted`, some are left incomplete.

        Each concept is some of these terms and other names of the same thing, as terms. A passage with another name
        gets VARIANT_WEIGHT of what the question's name would score in its stead, where that is more.
        """
        matched = []
        bound = 0.0
        for term in dict.fromkeys(terms):
            found = self.find(term)
            if found is None:
                bound += self.idf_of_rarest
                continue
            bound += found.idf
            matched.append(found)
        scores = np.zeros(self.passage_count, dtype=np.float32)
        for found in matched:
            add_at(scores, *self._scores_of(None, found))
        understood = tuple(filter(None, (self._match(concept) for concept in concepts)))
        complete = None if wanted is None else self._within_reach(scores, understood, wanted)
        numbers = [concept.best_variant for concept in understood]
        self._add_variants(scores, understood, numbers, partial(self._scores_of, complete))
        if bound > 0:
            scores /= np.float32(bound)
        return KeywordScores(scores, bound, tuple(matched), understood, complete)

    def score_variants_for(self, scored: KeywordScores, rows: NDArray[np.int64]) -> None:
        """Complete the scores of these passages, in any order."""
        if scored.complete is None:
            return
        short = np.sort(rows[~scored.complete[rows]])
        if not len(short):
            return
        scores = scored.scores[short] * np.float32(scored.bound)
        best = [concept.best_variant[short] for concept in scored.concepts]
        self._add_variants(scores, scored.concepts, best, partial(self._scores_among, short))
        scored.scores[short] = scores / np.float32(scored.bound)
        for concept, numbers in zip(scored.concepts, best, strict=True):
            concept.best_variant[short] = numbers
        scored.complete[short] = True

    def _within_reach(
        self, scores: NDArray[np.float32], concepts: Sequence[MatchedConcept], wanted: TopK
    ) -> NDArray[np.bool_] | None:
        """The passages, bool (N,), that other names must be looked for in; None for all.

        A passage is out of reach where the highest gain from other names leaves it below the best without any. This is
        Turtle and Flood's MaxScore (IPM 1995).
        """
        variants = [variant for concept in concepts for variant in concept.variants]
        if sum(found.end - found.start for v in variants for found in v.terms) < PRUNED_FROM:
            return None
        best = scores if wanted.mask is None else scores * wanted.mask
        least = float(best[top_k(best, wanted.k)].min(initial=np.inf))
        gain = sum(max(map(self._highest, concept.variants)) for concept in concepts)
        return np.asarray(scores >= np.float32(least - gain - SCORE_ROUNDING))

    def _highest(self, variant: Variant) -> float:
        """An upper bound of a variant's score in any passage."""
        return variant.scale * sum(
            found.idf * float(self._impacts[found.start : found.end].max())
            for found in variant.terms
        )

    def _add_variants(
        self,
        scores: NDArray[np.float32],
        concepts: Sequence[MatchedConcept],
        best_variants: Sequence[NDArray[np.int16]],
        scores_of: Callable[[MatchedTerm], TermScores],
    ) -> None:
        """Where a variant scores more than the name and the other variants, add the difference.

        `best_variants` are written: the `best_variant` of each concept. They, `scores` and the indices that `scores_of`
        gives for a term are of the same passages.
        """
        scores_of = cache(scores_of)  # variants have words in common
        # numpy's zeros are written when they are touched, those of zeros_like at once.
        variant_scores = np.zeros(len(scores), dtype=np.float32)
        for concept, numbers in zip(concepts, best_variants, strict=True):
            own = np.zeros(len(scores), dtype=np.float32)
            gain = np.zeros(len(scores), dtype=np.float32)
            for term in concept.terms:
                add_at(own, *scores_of(term))
            for number, variant in enumerate(concept.variants, start=1):
                held = [scores_of(term) for term in variant.terms]
                for rows, values in held:
                    add_at(variant_scores, rows, values)
                for rows, _ in held:  # where two of them stand, the second finds it done
                    lift_at(scores, gain, variant_scores, own, numbers, rows, variant.scale, number)

    def _scores_of(self, among: NDArray[np.bool_] | None, found: MatchedTerm) -> TermScores:
        """The term's score in each passage that has it, of all or of those `among`, bool (N,)."""
        passages = self._passages[found.start : found.end]
        impacts = self._impacts[found.start : found.end]
        if among is not None:
            return kept_of(among, passages, impacts, found.idf)
        return passages, np.float32(found.idf) * impacts

    def _scores_among(self, few: NDArray[np.int64], found: MatchedTerm) -> TermScores:
        """The term's score in each of these passages, ascending, that has it, by the index in `few`.

        A few passages are looked for in the postings, rather than the postings among the passages.
        """
        passages = self._passages[found.start : found.end]
        wanted = few.astype(passages.dtype)
        at = np.minimum(passages.searchsorted(wanted), len(passages) - 1)
        places = np.flatnonzero(passages[at] == wanted)
        impacts = self._impacts[found.start + at[places]]
        return places.astype(np.int32), np.float32(found.idf) * impacts

    def _match(self, concept: Synonyms) -> MatchedConcept | None:
        worth = self._worth(concept.terms)
        variants = [
            Variant(known, VARIANT_WEIGHT * worth / self._worth(names))
            for names in concept.variants
            if (known := self._find_all(names))
        ]
        if not variants:
            return None
        nowhere = np.zeros(self.passage_count, dtype=np.int16)
        return MatchedConcept(self._find_all(concept.terms), tuple(variants), nowhere)

    def _find_all(self, terms: Sequence[str]) -> tuple[MatchedTerm, ...]:
        return tuple(filter(None, map(self.find, dict.fromkeys(terms))))

    def _worth(self, terms: Sequence[str]) -> float:
        """The sum of the terms' idf, known or not."""
        found = map(self.find, dict.fromkeys(terms))
        return sum(term.idf if term else self.idf_of_rarest for term in found)

    def contributions(
        self, scored: KeywordScores, passages: NDArray[np.int64]
    ) -> list[dict[str, float]]:
        """For each passage, what each matched term and each other name adds to its score, where it is above 0."""
        held = [(found.term, self._scores_in(found, passages).tolist()) for found in scored.matched]
        worths = [{term: worth[place] for term, worth in held} for place in range(len(passages))]
        for concept in scored.concepts:
            numbers = concept.best_variant[passages]
            for place in np.flatnonzero(numbers).tolist():
                variant, passage = concept.variants[numbers[place] - 1], passages[place : place + 1]
                own = sum(float(self._scores_in(found, passage)[0]) for found in concept.terms)
                its = sum(float(self._scores_in(found, passage)[0]) for found in variant.terms)
                more = variant.scale * its - own
                worths[place][variant.text] = worths[place].get(variant.text, 0.0) + more
        return [
            {term: value / scored.bound for term, value in worth.items() if value > 0}
            for worth in worths
        ]

    def holds_all(
        self, scored: KeywordScores, term_count: int, passages: NDArray[np.int64]
    ) -> bool:
        """Whether one of these passages holds every term of a question; False for a question without terms.

        `term_count` is the number of its distinct terms, known or not.
        """
        if not term_count or len(scored.matched) < term_count:
            return False
        for found in scored.matched:
            passages = passages[self._scores_in(found, passages) > 0]
        return bool(len(passages))

    def _scores_in(self, found: MatchedTerm, passages: NDArray[np.int64]) -> NDArray[np.float64]:
        """A term's score in each of these passages."""
        rows = self._passages[found.start : found.end]
        wanted = passages.astype(rows.dtype)  # else all rows would be converted
        places = np.minimum(rows.searchsorted(wanted), len(rows) - 1)
        there = rows[places] == wanted
        impacts = self._impacts[found.start + places].astype(np.float64)
        return np.asarray(found.idf * impacts * there)
