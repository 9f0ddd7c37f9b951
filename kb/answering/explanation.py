"""Given a question and its ranking, how it was understood: for whoever asks with `explain`."""

from __future__ import annotations

from dataclasses import asdict

from kb.question.operators import Condition
from kb.question.query import Query
from kb.ranking import confidence
from kb.ranking.ranking import Ranking
from kb.retrieval.conditions import Conditions
from kb.retrieval.postings import Postings
from kb.schema.results import ExplainedCondition, ExplainedName, ExplainedTerm, QuestionExplanation


def explained(
    query: Query, ranking: Ranking, conditions: Conditions, postings: Postings, allowed: int
) -> QuestionExplanation:
    """`allowed` is how many passages the filters and operators left."""
    passages = postings.passage_count
    return QuestionExplanation(
        text=query.text,
        terms=tuple(_term(postings, term) for term in dict.fromkeys(query.terms)),
        names=tuple(
            ExplainedName(
                query.text[concept.start : concept.end],
                tuple(" ".join(variant) for variant in concept.variants),
            )
            for concept in query.concepts
        ),
        conditions=tuple(_condition(conditions, each) for each in query.conditions),
        weights=asdict(ranking.weights),
        allowed=allowed,
        candidates=len(ranking.rows),
        evidence=ranking.evidence(),
        likely_from=confidence.unrelated(passages),
        confident_from=confidence.unrelated(passages) + confidence.SURE,
    )


def _term(postings: Postings, term: str) -> ExplainedTerm:
    found = postings.find(term)
    if found is None:
        return ExplainedTerm(term, 0, postings.idf_of_rarest)
    return ExplainedTerm(term, found.end - found.start, found.idf)


def _condition(conditions: Conditions, condition: Condition) -> ExplainedCondition:
    expansions = conditions.expansions(condition) if condition.kind == "prefix" else ()
    return ExplainedCondition(
        condition.kind, condition.text, condition.field, condition.negated, tuple(expansions)
    )
