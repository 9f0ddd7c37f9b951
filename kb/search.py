"""Answering one search, step by step. docs/ranking.md describes each step."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from kb.answering.care_companion import Companion
from kb.answering.explanation import explained
from kb.answering.facets import facets
from kb.compute.arrays import union
from kb.compute.stopwatch import Stopwatch
from kb.opening import Engine
from kb.question.negation import negated
from kb.question.query import Query
from kb.question.two_in_one import parts
from kb.ranking.negation import raise_negated
from kb.ranking.question_ranker import RankedQuestion
from kb.ranking.ranking import Ranking
from kb.ranking.reranker import RERANK_DEPTH
from kb.ranking.two_in_one import raise_parts
from kb.ranking.variety import diversify
from kb.retrieval.passage_filter import Mask
from kb.schema.filters import Filters
from kb.schema.paging import MAX_DEPTH
from kb.schema.results import (
    Answered,
    Facets,
    Notice,
    QuestionExplanation,
    SearchResponse,
    SearchResult,
)
from kb.schema.search_request import SearchRequest, Unit


@dataclass(frozen=True, slots=True)
class Hits:
    """The candidates of a question in the order shown, as indices into `ranking`, best first.

    `order` has the best candidate of each unit asked for, `sections` the best of each section.
    """

    ranked: RankedQuestion
    order: NDArray[np.int64]
    sections: NDArray[np.int64]

    @property
    def ranking(self) -> Ranking:
        """The candidates with their scores."""
        return self.ranked.ranking


def answer(engine: Engine, request: SearchRequest) -> SearchResponse:
    """Answer one search. Raises InvalidRequest, GenerationGone, and KbError where the engine is closed."""
    filters = check(engine, request)
    watch = Stopwatch()
    query, notices = read(engine, request)
    allowed = narrow(engine, query, filters)
    watch.lap("analyse")
    ranked = rank(engine, request, query, allowed, watch)
    hits = group(ranked, request.group_by)
    notices = notices or conditional_notice(engine, query, ranked)
    watch.lap("rank")
    if engine.reranker is not None and request.mode == "hybrid":
        hits = rerank(engine, query, hits)
        watch.lap("rerank")
    answered, reason = decide(engine, request, filters, query, hits.ranked)
    companion = find_companion(engine, answered, notices, hits)
    if companion is not None:
        hits = without(companion, hits)
    narrowed_to = count_facets(engine, hits) if request.facets else None
    results = cite(engine, request, hits)
    companion_result = cite_companion(engine, request, hits, companion)
    watch.lap("cite")
    explanation = None
    if request.explain:
        explanation = explain(engine, query, hits.ranking, allowed)
        watch.lap("explain")
    return SearchResponse(
        # A command line can hold bytes that are not UTF-8; an answer can always be printed.
        question=request.question.encode(errors="replace").decode(),
        answered=answered,
        results=results,
        generation=engine.generation,
        timings=watch.total(),
        notices=notices,
        facets=narrowed_to,
        correction=query.correction,
        excluded=query.excluded,
        reason=reason,
        companion=companion_result,
        total=min(len(hits.order), MAX_DEPTH),
        explanation=explanation,
    )


def check(engine: Engine, request: SearchRequest) -> Filters:
    """The filters of a search whose every option is valid here."""
    engine.require_open()
    filters = request.check()
    engine.require_generation(request.generation)
    return filters


def read(engine: Engine, request: SearchRequest) -> tuple[Query, tuple[Notice, ...]]:
    """The question as rankers see it, and the notices for it.

    Notices are found by the whole question as typed: they depend on no operator and on no result.
    """
    query = engine.reader.read(request.question, exact=request.exact)
    return query, engine.notices.find(query.typed)


def conditional_notice(engine: Engine, query: Query, ranked: RankedQuestion) -> tuple[Notice, ...]:
    """The publisher's conditional notice, if the question's meaning is that of an emergency.

    The vector of a question in a language that the library does not have says too little for that.
    """
    notice, line = engine.notices.conditional, engine.notice_line
    if notice is None or line is None or query.foreign or not query.text:
        return ()
    return (notice,) if line.crossed(ranked.vector) else ()


def narrow(engine: Engine, query: Query, filters: Filters) -> Mask:
    """The passages that operators and filters allow."""
    return engine.index.allow(query.conditions, filters)


def rank(
    engine: Engine, request: SearchRequest, query: Query, allowed: Mask, watch: Stopwatch
) -> RankedQuestion:
    """The candidates with their scores, and what small words and a second question change in these."""
    ranked = engine.ranker.rank(query, allowed, request.mode, watch)
    ranked = weigh_negation(engine, query, ranked)
    return show_both_parts(engine, query, ranked, allowed) if request.mode == "hybrid" else ranked


def weigh_negation(engine: Engine, query: Query, ranked: RankedQuestion) -> RankedQuestion:
    """The ranked candidates, of which those that say the opposite of a negated question come behind."""
    asked = negated(query.text)
    if asked is None:
        return ranked

    def text_of(row: int) -> str:
        cited = engine.citer.cited(row)
        return f"{cited.article_title}.\n{cited.section_heading}.\n{cited.quote}"

    return replace(ranked, ranking=raise_negated(asked, ranked.ranking, text_of))


def show_both_parts(
    engine: Engine, query: Query, ranked: RankedQuestion, allowed: Mask
) -> RankedQuestion:
    """The ranked candidates, where the question is two in one with the best section of each among the first."""
    best: dict[int, int] = {}  # the row of the best passage of each part's best section
    for part in parts(query.text):
        asked = engine.reader.read(part, exact=True)
        found = engine.ranker.rank(asked, allowed, "hybrid", Stopwatch())
        own = group(weigh_negation(engine, asked, found), "section")
        for first in own.sections[:1].tolist():
            best[int(own.ranking.sections[first])] = int(own.ranking.rows[first])
    if not best:
        return ranked
    ranking = ranked.ranking
    if not np.isin(list(best.values()), ranking.rows).all():
        rows = union(ranking.rows, np.array(list(best.values()), dtype=np.int64))
        ranking = engine.ranker.rank_rows(ranked, rows)
        ranking = weigh_negation(engine, query, replace(ranked, ranking=ranking)).ranking
    order = group(replace(ranked, ranking=ranking), "section").sections
    return replace(ranked, ranking=raise_parts(ranking, order, list(best)))


def group(ranked: RankedQuestion, unit: Unit) -> Hits:
    """The best candidate of each unit. Sections are diversified."""
    ranking = ranked.ranking
    sections = diversify(
        ranking.grouped("section"),
        ranking.articles,
        ranking.is_subject(),
        ranking.candidates.likeness,
    )
    return Hits(ranked, sections if unit == "section" else ranking.grouped(unit), sections)


def rerank(engine: Engine, query: Query, hits: Hits) -> Hits:
    """The first hits in the order of the reranker, which reads title, heading and passage; others as they were."""
    if engine.reranker is None:
        return hits
    rows = hits.ranking.rows[hits.order[:RERANK_DEPTH]]
    citations = (engine.citer.cited(int(row)) for row in rows)
    texts = [f"{c.article_title}\n{c.section_heading}\n{c.quote}" for c in citations]
    return replace(hits, order=engine.reranker.reordered(query.text, hits.order, texts))


def decide(
    engine: Engine, request: SearchRequest, filters: Filters, query: Query, ranked: RankedQuestion
) -> tuple[Answered, str]:
    """How sure it is that the library answers, and the reason where it does not."""
    ranking = ranked.ranking
    return engine.confidence.decide(
        query,
        ranking,
        request.mode,
        filters,
        engine.index.allows_nothing,
        lambda: ranked.search.holds_all(ranking.rows),
    )


def find_companion(
    engine: Engine, answered: Answered, notices: tuple[Notice, ...], hits: Hits
) -> Companion | None:
    """The section of the first article that says when to seek care.

    Under a notice of an emergency, advice from an article that may be about something else would contradict it. So
    such a notice asks for a confident answer; a conditional one does not.
    """
    is_emergency = any(notice.kind == "emergency" for notice in notices)
    if answered == "none" or (answered == "likely" and is_emergency):
        return None
    return engine.companions.find(hits.ranked.vector, int(hits.ranking.articles[hits.order[0]]))


def without(companion: Companion, hits: Hits) -> Hits:
    """The hits less the companion's section, unless that section is among the first results."""
    owners = hits.ranking.sections
    return replace(
        hits,
        order=companion.left_out_of(hits.order, owners),
        sections=companion.left_out_of(hits.sections, owners),
    )


def count_facets(engine: Engine, hits: Hits) -> Facets:
    """The topics and sources of the first sections."""
    scores = hits.ranking.boosted_scores[hits.sections]
    return facets(engine.store, hits.ranking.articles[hits.sections], scores)


def explain(engine: Engine, query: Query, ranking: Ranking, allowed: Mask) -> QuestionExplanation:
    """How the question was understood."""
    return explained(query, ranking, engine.index, allowed)


def cite(engine: Engine, request: SearchRequest, hits: Hits) -> tuple[SearchResult, ...]:
    """The page of results asked for, each with its citation."""
    page = hits.order[request.offset : request.offset + request.limit]
    return engine.citer.page(
        hits.ranked.search, hits.ranking, page, hits.sections, request.offset + 1
    )


def cite_companion(
    engine: Engine, request: SearchRequest, hits: Hits, companion: Companion | None
) -> SearchResult | None:
    """The companion by its best passage, on the first page, unless its section is a result there."""
    ranking = hits.ranking
    if companion is None or request.offset:
        return None
    if companion.section in ranking.sections[hits.order[: request.limit]]:
        return None
    if companion.section not in ranking.sections:
        ranking = engine.ranker.rank_rows(hits.ranked, companion.rows)
    return engine.citer.companion(hits.ranked.search, ranking, companion.section)
