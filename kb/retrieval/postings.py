"""Given a question's terms, the BM25F score of every passage.

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
from kb.compute.top_k import top
from kb.retrieval.keyword_scores import (
    KeywordScores,
    MatchedConcept,
    MatchedTerm,
    Synonyms,
    Variant,
)
from kb.text.bm25f import FIELDS

VARIANT_WEIGHT = 0.5
"""What another name counts, against the question's own: never as much, since only the reader knows what was meant."""

MAX_EXPANSIONS = 64
"""So many terms a word's beginning stands for, at most."""

ROUNDING = 1e-3
"""A sum of scores in float32 may be so far off."""

PRUNED_FROM = 200_000
"""Postings of other names from which on it is quicker to leave out what they cannot lift among the best."""


Worth = tuple[NDArray[np.int32], NDArray[np.float32]]
"""Places of passages, ascending, each once, and a term's score in each."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose scores have to be whole: those of the best `depth` among the `allowed`, bool (N,) or None for all."""

    depth: int
    allowed: NDArray[np.bool_] | None = None


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
        """The terms of a title, on the average of passages."""
        self.idf_of_rarest = float(np.log1p((self.passage_count - 0.5) / 1.5))
        """That of a term which stands in a single passage."""

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
        self, beginning: str, fields: Sequence[str] = FIELDS, most: int = MAX_EXPANSIONS
    ) -> tuple[list[str], NDArray[np.bool_]]:
        """The first `most` terms, in alphabetical order, that begin so and stand in one of the fields; and which
        passages hold one of them there, bool (N,)."""
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
        rows = np.flatnonzero(np.logical_or.reduceat(there, starts[:-1] - starts[0]))[:most]
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
        wanted: Wanted | None = None,
    ) -> KeywordScores:
        """Score all passages, or those that are `wanted`, against the distinct terms of a question.

        Each concept is some of these terms and other names of the same thing, as terms. A passage with another name
        gets VARIANT_WEIGHT of what the question's own would have been worth in its place, or its own, if that is more.
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
            add_at(scores, *self._worth_of(None, found))
        understood = tuple(filter(None, (self._match(concept) for concept in concepts)))
        whole = None if wanted is None else self._within_reach(scores, understood, wanted)
        most = [concept.worth_most for concept in understood]
        self._add_variants(scores, understood, most, partial(self._worth_of, whole))
        if bound > 0:
            scores /= np.float32(bound)
        return KeywordScores(scores, bound, tuple(matched), understood, whole)

    def complete(self, scored: KeywordScores, passages: NDArray[np.int64] | None = None) -> None:
        """Make the scores whole for the passages of these ordinals too; for all by None."""
        if scored.whole is None:
            return
        wanted = np.arange(self.passage_count) if passages is None else passages
        short = np.sort(wanted[~scored.whole[wanted]])
        if not len(short):
            return
        scores = scored.scores[short] * np.float32(scored.bound)
        most = [concept.worth_most[short] for concept in scored.concepts]
        self._add_variants(scores, scored.concepts, most, partial(self._worth_among, short))
        scored.scores[short] = scores / np.float32(scored.bound)
        for concept, numbers in zip(scored.concepts, most, strict=True):
            concept.worth_most[short] = numbers
        scored.whole[short] = True

    def _within_reach(
        self, scores: NDArray[np.float32], concepts: Sequence[MatchedConcept], wanted: Wanted
    ) -> NDArray[np.bool_] | None:
        """The passages, bool (N,), that other names have to be looked for in; None for all.

        A passage is out of reach where it would stay below the best without other names even if it held, of each name
        in the question, the most that another name of it adds anywhere (as Turtle and Flood's MaxScore, IPM 1995).
        """
        variants = [variant for concept in concepts for variant in concept.variants]
        if sum(found.end - found.start for v in variants for found in v.terms) < PRUNED_FROM:
            return None
        best = scores if wanted.allowed is None else scores * wanted.allowed
        least = float(best[top(best, wanted.depth)].min(initial=np.inf))
        most = sum(max(map(self._most, concept.variants)) for concept in concepts)
        return np.asarray(scores >= np.float32(least - most - ROUNDING))

    def _most(self, variant: Variant) -> float:
        """More than a variant is worth in any passage."""
        return variant.scale * sum(
            found.idf * float(self._impacts[found.start : found.end].max())
            for found in variant.terms
        )

    def _add_variants(
        self,
        scores: NDArray[np.float32],
        concepts: Sequence[MatchedConcept],
        most: Sequence[NDArray[np.int16]],
        worth_of: Callable[[MatchedTerm], Worth],
    ) -> None:
        """Where a variant is worth more than the name and than the other variants, add what it is worth more.

        `most` are to be the `worth_most` of these concepts, and `worth_of` says what a term is worth where; all have a
        place for the same passages.
        """
        worth_of = cache(worth_of)  # variants have words in common
        # numpy's zeros are written when they are touched, those of zeros_like at once.
        worth = np.zeros(len(scores), dtype=np.float32)
        for concept, numbers in zip(concepts, most, strict=True):
            own = np.zeros(len(scores), dtype=np.float32)
            gain = np.zeros(len(scores), dtype=np.float32)
            for found in concept.terms:
                add_at(own, *worth_of(found))
            for number, variant in enumerate(concept.variants, start=1):
                held = [worth_of(found) for found in variant.terms]
                for places, values in held:
                    add_at(worth, places, values)
                for places, _ in held:  # where two of them stand, the second finds it done
                    lift_at(scores, gain, worth, own, numbers, places, variant.scale, number)

    def _worth_of(self, among: NDArray[np.bool_] | None, found: MatchedTerm) -> Worth:
        """What the term is worth in each passage that has it, of all or of those `among`, bool (N,)."""
        passages = self._passages[found.start : found.end]
        impacts = self._impacts[found.start : found.end]
        if among is not None:
            return kept_of(among, passages, impacts, found.idf)
        return passages, np.float32(found.idf) * impacts

    def _worth_among(self, few: NDArray[np.int64], found: MatchedTerm) -> Worth:
        """The same of the passages of these ordinals, ascending, each by its place among them.

        They are looked for in the postings, not these among them.
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
        """Each matched term's share of each passage's score, and that of other names; what it lacks is left out."""
        held = [(found.term, self._worth_in(found, passages).tolist()) for found in scored.matched]
        worths = [{term: worth[place] for term, worth in held} for place in range(len(passages))]
        for concept in scored.concepts:
            numbers = concept.worth_most[passages]
            for place in np.flatnonzero(numbers).tolist():
                variant, passage = concept.variants[numbers[place] - 1], passages[place : place + 1]
                own = sum(float(self._worth_in(found, passage)[0]) for found in concept.terms)
                its = sum(float(self._worth_in(found, passage)[0]) for found in variant.terms)
                more = variant.scale * its - own
                worths[place][variant.text] = worths[place].get(variant.text, 0.0) + more
        return [
            {term: value / scored.bound for term, value in worth.items() if value > 0}
            for worth in worths
        ]

    def _worth_in(self, found: MatchedTerm, passages: NDArray[np.int64]) -> NDArray[np.float64]:
        """A term's score in each of these passages."""
        rows = self._passages[found.start : found.end]
        wanted = passages.astype(rows.dtype)  # else all rows would be converted
        places = np.minimum(rows.searchsorted(wanted), len(rows) - 1)
        there = rows[places] == wanted
        impacts = self._impacts[found.start + places].astype(np.float64)
        return np.asarray(found.idf * impacts * there)
