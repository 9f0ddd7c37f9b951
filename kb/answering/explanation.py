"""The explanation of a question that a search with `explain` returns."""

from __future__ import annotations

from dataclasses import asdict

from kb.question.operators import Condition
from kb.question.query import Query
from kb.ranking import confidence
from kb.ranking.ranking import Ranking
from kb.retrieval.candidates import Allowed, CandidateIndex
from kb.schema.results import ExplainedCondition, ExplainedName, ExplainedTerm, QuestionExplanation


def explained(
    query: Query, ranking: Ranking, index: CandidateIndex[Allowed], allowed: Allowed
) -> QuestionExplanation:
    """Explain how a question was read and ranked among the `allowed` passages of `index`."""
    passages = index.passage_count
    return QuestionExplanation(
        text=query.text,
        terms=tuple(ExplainedTerm(term, *index.term(term)) for term in dict.fromkeys(query.terms)),
        names=tuple(
            ExplainedName(
                query.text[concept.start : concept.end],
                tuple(" ".join(variant) for variant in concept.variants),
            )
            for concept in query.concepts
        ),
        conditions=tuple(_condition(index, each) for each in query.conditions),
        weights=asdict(ranking.weights),
        allowed=index.allowed_count(allowed),
        candidates=len(ranking.rows),
        evidence=ranking.evidence(),
        lead=ranking.lead(),
        likely_from=confidence.unrelated(passages),
        confident_from=confidence.confident_from(passages),
    )


def _condition(index: CandidateIndex[Allowed], condition: Condition) -> ExplainedCondition:
    expansions = index.expansions(condition) if condition.kind == "prefix" else ()
    return ExplainedCondition(
        condition.kind, condition.text, condition.field, condition.negated, tuple(expansions)
    )
