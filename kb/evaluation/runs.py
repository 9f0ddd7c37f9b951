"""Rankings of a knowledge base as evaluation reads them: candidates with signals, ids of units, runs."""

from __future__ import annotations

import numpy as np

from kb.compute.stopwatch import Stopwatch
from kb.knowledge_base import KnowledgeBase
from kb.opening import Engine
from kb.ranking.question_ranker import RankedQuestion
from kb.ranking.ranking import Ranking
from kb.schema.arguments import check_whole
from kb.schema.paging import MAX_DEPTH
from kb.schema.search_request import SearchRequest, Unit
from kb.search import check, group, narrow, read, rerank
from kb.search import rank as rank_query


def run(
    knowledge_base: KnowledgeBase, question: str, unit: Unit = "section", depth: int = MAX_DEPTH
) -> list[tuple[str, float]]:
    """The ids of the best units with their scores, best first, at most `depth` (1 to 1,000).

    The order of sections is the order of `search`, with the companion at its own place. A score is never above the
    one before, even where diversifying put a section back. Raises InvalidRequest.
    """
    check_whole("depth", depth, 1, MAX_DEPTH)
    engine, request = knowledge_base.engine, SearchRequest(question)
    ranked = _ranked(engine, request)
    ranking, hits = ranked.ranking, group(ranked, unit)
    if engine.reranker is not None:
        query, _ = read(engine, request)
        hits = rerank(engine, query, hits)
    # Evaluation tools sort by score in float32 and break ties in their own way.
    scores = np.minimum.accumulate(ranking.boosted_scores[hits.order])
    scores -= 1e-6 * np.arange(len(scores))
    return [
        (unit_id(knowledge_base, int(ranking.rows[candidate]), unit), float(score))
        for candidate, score in zip(hits.order[:depth], scores, strict=False)
    ]


def rank(knowledge_base: KnowledgeBase, question: str) -> Ranking:
    """All candidates of a question with their signals and scores. Raises InvalidRequest."""
    return _ranked(knowledge_base.engine, SearchRequest(question)).ranking


def _ranked(engine: Engine, request: SearchRequest) -> RankedQuestion:
    filters = check(engine, request)
    query, _ = read(engine, request)
    allowed = narrow(engine, query, filters)
    return rank_query(engine, request, query, allowed, Stopwatch())


def unit_id(knowledge_base: KnowledgeBase, row: int, unit: Unit) -> str:
    """The id, in a run, of the unit that holds the passage `row`.

    An article and a passage have their own ids. A section has the id that the collection gave it, where that id is
    unique, else `article#section`.
    """
    return knowledge_base.engine.citer.unit_id(row, unit)
