"""Given a question's terms and vector, the candidates with their scores, and the order of sections or articles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from kb.compute.arrays import gather, union
from kb.compute.spare_core import Alongside
from kb.ranking import confidence, section_kinds
from kb.ranking.fusion import (
    DEFAULT_WEIGHTS,
    SHORT_QUESTION,
    FusionWeights,
    Signals,
    best_by_words,
    depths,
    for_question,
    in_mode,
    lengthened,
    names_share,
    nearness,
    weights_for,
)
from kb.ranking.lifts import Lifting, Lifts
from kb.retrieval.keyword_scores import KeywordScores, Synonyms
from kb.retrieval.names import NameIndex
from kb.retrieval.postings import Postings, Wanted
from kb.retrieval.vectors import VectorIndex
from kb.schema.results import Explanation
from kb.schema.search_request import Mode, Unit
from kb.storage.passage_table import PassageTable

SUBJECT_NEARNESS, SUBJECT_SHARE = 0.3, 0.2
"""An article is the subject where a name of it is so near in meaning, or so much of it the question's own words."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """The candidates of one question, in the order of passage ids; arrays of one length, a place each.

    `rows` are the passages' ordinals, `sections` and `articles` those they belong to. `nearest_name` says which of
    the article's names came nearest, 0 being the title; `nearest_sentence` which of the passage's sentences.
    `scores` are the weighted sums of `signals`; `lifts` what `lifting` adds to them.
    `question_terms` is the number of the question's distinct terms.
    """

    rows: NDArray[np.int64]
    sections: NDArray[np.int64]
    articles: NDArray[np.int64]
    signals: Signals
    nearest_name: NDArray[np.int64]
    nearest_sentence: NDArray[np.int64]
    scores: NDArray[np.float64]
    lifting: Lifting
    lifts: Lifts
    weights: FusionWeights
    keyword: KeywordScores
    postings: Postings
    question_terms: int = 0

    def owners(self, unit: Unit) -> NDArray[np.int64]:
        """The ordinal of the unit that each candidate belongs to."""
        return {"passage": self.rows, "section": self.sections, "article": self.articles}[unit]

    def shown(self, unit: Unit) -> NDArray[np.int64]:
        """The places of the best passage of each unit in the order to show, lifts included."""
        return self.best_of_each(unit, self.shown_scores)

    @property
    def shown_scores(self) -> NDArray[np.float64]:
        """The scores with their lifts: what is shown is ordered by these."""
        return self.lifts.added_to(self.scores)

    def best_of_each(self, unit: Unit, scores: NDArray[np.float64]) -> NDArray[np.int64]:
        """The places of the best passage of each unit, best first; of equal scores the lower passage id first."""
        order = np.argsort(-scores, kind="stable")
        _, first = np.unique(self.owners(unit)[order], return_index=True)
        return order[np.sort(first)]

    def rescored(self, weights: FusionWeights) -> NDArray[np.float64]:
        """The scores under other weights, adapted to library and question as those in use were; up to a factor."""
        adapted = weights_for(self.postings.title_terms, weights)
        return self.signals.combine(lengthened(adapted, self.question_terms))

    def is_subject(self) -> NDArray[np.bool_]:
        """Of each candidate, whether its article's names say that it is about what is asked."""
        near = nearness(self.signals.name) >= SUBJECT_NEARNESS
        return np.asarray(near | (self.signals.focus >= SUBJECT_SHARE))

    def evidence(self) -> float:
        """How much speaks for the library having an answer: kb.ranking.confidence."""
        if not len(self.rows):
            return 0.0
        dense = self.signals.dense
        nearest = np.argsort(-dense, kind="stable")[: confidence.NEAREST]
        return confidence.evidence(
            nearby=float(dense[nearest].mean()),
            sentence=float(self.signals.sentence.max()),
            words=confidence.covered(
                float(self.signals.keyword[nearest].max()), self.question_terms
            ),
        )

    def term_shares(self, places: NDArray[np.int64]) -> list[dict[str, float]]:
        """Of each of these candidates, what each term contributed to the score."""
        return [
            {term: self.weights.keyword * share for term, share in shares.items()}
            for shares in self.postings.contributions(self.keyword, self.rows[places])
        ]

    def explain(self, place: int, names: tuple[str, ...], terms: dict[str, float]) -> Explanation:
        """What each ranker contributed to a candidate.

        `names` are its article's title and aliases, and `terms` its `term_shares`.
        """
        keyword = float(self.signals.keyword[place])
        dense = float(self.signals.dense[place])
        sentence = float(self.signals.sentence[place])
        focus = float(self.signals.focus[place])
        return Explanation(
            keyword=self.weights.keyword * keyword,
            dense=self.weights.dense * dense,
            sentence=self.weights.sentence * sentence,
            name=self.weights.name * float(nearness(self.signals.name[place : place + 1])[0]),
            focus=self.weights.focus * focus,
            keyword_score=keyword,
            passage_cosine=dense,
            sentence_cosine=sentence,
            name_cosine=float(self.signals.name[place]),
            name_matched=names[int(self.nearest_name[place])],
            focus_share=focus,
            terms=terms,
            subject=float(self.lifts.by_subject[place]),
            kind=float(self.lifts.by_kind[place]),
            article=float(self.lifts.by_article[place]),
        )


@dataclass(frozen=True, slots=True)
class Words:
    """What the words of a question come to, before its meaning is known.

    `count` of them are distinct; `best` are the ordinals, ascending, of the passages that are candidates for their
    words; `held`, `subjects` and `about`, the articles that the question is the name of, are what kb.retrieval.names
    makes of them.
    """

    count: int
    keyword: KeywordScores
    best: NDArray[np.int64]
    held: NDArray[np.float32]
    subjects: Sequence[NDArray[np.int64]]
    about: NDArray[np.int64]

    @property
    def ask_for_a_kind(self) -> bool:
        """Whether they may be a subject and what is asked of it: short, and more than its name."""
        return self.count <= SHORT_QUESTION and not len(self.about)


class Ranker:
    """The rankers of one generation together. Safe to share between threads.

    Of `passages` it needs the columns `article` and `section`.
    """

    def __init__(
        self,
        postings: Postings,
        vectors: VectorIndex,
        names: NameIndex,
        passages: PassageTable,
        weights: FusionWeights = DEFAULT_WEIGHTS,
        alongside: Alongside | None = None,
    ) -> None:
        self._postings = postings
        self._vectors = vectors
        self._passages = passages
        self._names = names
        self._weights = weights_for(postings.title_terms, weights)
        self._names_count = names_share(postings.title_terms)
        self._alongside = alongside or Alongside()

    def words(
        self,
        terms: Sequence[str],
        concepts: Sequence[Synonyms] = (),
        mask: NDArray[np.bool_] | None = None,
        mode: Mode = "hybrid",
        keyword: KeywordScores | None = None,
        name: Sequence[str] = (),
    ) -> Words:
        """What the words of a question find among all passages, or those alone that `mask`, bool (N,), allows.

        `keyword` are the scores of the same terms and concepts, where they are known; `name` the terms of a question
        that may be a name and no more.
        """
        by_words, _ = depths(mode)
        if keyword is None:
            keyword = self._postings.score(terms, concepts, Wanted(by_words, mask))
        else:
            asked = None if mask is None else np.flatnonzero(mask)
            self._postings.complete(keyword, asked)
        held = self._names.held(keyword)
        return Words(
            count=len(set(terms)),
            keyword=keyword,
            best=best_by_words(keyword.scores, by_words, mask),
            held=held,
            subjects=() if mode == "dense" else self._names.subjects(keyword, held),
            about=self._names.about(() if mode == "dense" else name),
        )

    def rank(
        self,
        words: Words,
        vector: NDArray[np.float32],
        mask: NDArray[np.bool_] | None = None,
        mode: Mode = "hybrid",
    ) -> Ranking:
        """Rank all passages, or those alone that `mask` allows; `words` are of the same mask and mode.

        All signals are worked out in every mode, for the explanation and the evidence; those of the other side count
        nothing in the score.
        """
        _, by_meaning = depths(mode)
        near = self._vectors.nearest(vector, by_meaning, mask)
        keyword = words.keyword
        self._postings.complete(keyword, near)
        rows = union(words.best, near)
        table = gather(self._passages.columns, rows)
        sections = table["section"].astype(np.int64)
        articles = table["article"].astype(np.int64)
        others = self._alongside.start(  # sentences take as long as all of these
            lambda: (
                self._vectors.passage_cosines(vector, rows),
                self._vectors.best_names(vector, articles),
                self._names.shares(keyword, words.held, articles),
            )
        )
        sentences, nearest_sentence = self._vectors.best_sentences(vector, rows)
        dense, (names, nearest_name), focus = others()
        signals = Signals(
            keyword=keyword.scores[rows], dense=dense, sentence=sentences, name=names, focus=focus
        )
        weights = in_mode(for_question(self._weights, words.count), mode)
        scores = signals.combine(weights)
        by_meaning_too = mode != "keyword"
        alone = np.isin(articles, words.about)
        if by_meaning_too:
            alone |= names >= section_kinds.SAME
        wanted = np.zeros(len(rows))
        if alone.any():
            wanted[alone & self._passages.opens[rows]] = section_kinds.OPENING
        if by_meaning_too and words.ask_for_a_kind:
            about = np.flatnonzero((names >= section_kinds.NEAR) & ~alone)
            wanted[about] = self._of_the_kind(
                vector, articles[about], sections[about], nearest_name[about]
            )
        by_name = self._names_count * nearness(names) * by_meaning_too
        lifting = Lifting(articles, sections, words.subjects, wanted, by_name)
        return Ranking(
            rows=rows,
            sections=sections,
            articles=articles,
            signals=signals,
            nearest_name=nearest_name,
            nearest_sentence=nearest_sentence,
            scores=scores,
            lifting=lifting,
            lifts=lifting.lifts(scores),
            weights=weights,
            keyword=keyword,
            postings=self._postings,
            question_terms=words.count,
        )

    def _of_the_kind(
        self,
        vector: NDArray[np.float32],
        articles: NDArray[np.int64],
        sections: NDArray[np.int64],
        nearest_name: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """How far each section is what the question asks for of its article, whose nearest name is given."""
        found = np.zeros(len(articles))
        for article in np.unique(articles).tolist():
            own = np.flatnonzero(articles == article)
            asked = section_kinds.asked_of(
                vector, self._vectors.name(article, int(nearest_name[own[0]]))
            )
            found[own] = section_kinds.WEIGHT * self._vectors.kind_cosines(asked, sections[own])
        return found
