"""kb.evaluation.weight_grid"""

from __future__ import annotations

import ir_measures
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb.evaluation import runs
from kb.evaluation.fitting import MEASURES
from kb.evaluation.measures import Scored, Topic, evaluate
from kb.evaluation.weight_grid import RUN_DEPTH, SIGNALS, judge, judged_topics, weight_row
from kb.knowledge_base import KnowledgeBase
from kb.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights
from kb.schema.errors import KbError
from kb.schema.search_request import Unit
from support.examples import at_most

WEIGHTS = [
    DEFAULT_WEIGHTS,
    FusionWeights(keyword=1, dense=0, sentence=0, name=0, focus=0, wording=0),
    FusionWeights(keyword=0.1, dense=0.1, sentence=0.1, name=0.1, focus=0.5, wording=0.1),
]
MATRIX = np.stack([weight_row(weights) for weights in WEIGHTS])


def by_ir_measures(
    scores: np.ndarray[tuple[int], np.dtype[np.float64]], units: list[str], grades: dict[str, int]
) -> list[float]:
    """Both measures of a run in which each unit counts by its best passage, of equals the first one first."""
    best: dict[str, float] = {}
    for unit, score in zip(units, scores.tolist(), strict=True):
        best[unit] = max(score, best.get(unit, -1.0))
    ranked = sorted(best, key=lambda unit: -round(best[unit], 6))[:RUN_DEPTH]
    found = evaluate(
        [Scored("q", unit, -place) for place, unit in enumerate(ranked)],
        [ir_measures.Qrel("q", unit, grade) for unit, grade in grades.items()],
    )
    return [found.means[name] for name in MEASURES]


@settings(max_examples=at_most(40))
@given(
    seed=st.integers(0, 2**32 - 1),
    passages=st.integers(1, 500),
    units=st.integers(1, 250),
    judged=st.integers(0, 40),
)
def test_the_values_are_those_of_ir_measures_on_random_runs(
    seed: int, passages: int, units: int, judged: int
) -> None:
    random = np.random.default_rng(seed)
    names = [f"u{number}#ü{number % 7}" for number in random.integers(0, units, passages)]
    # Few distinct signals, so that scores tie; and units that are judged without being found.
    signals = random.integers(0, 4, (passages, len(SIGNALS))) / 4
    pool = [*sorted(set(names)), "never found", "nor this"]
    grades = {str(name): int(random.integers(-1, 4)) for name in random.choice(pool, judged)}
    grades["and one that is relevant"] = 2
    topic = judge("q", signals, names, grades)
    values = topic.ndcg(MATRIX)
    for number, weights in enumerate(MATRIX):
        scores = signals @ weights
        assert values[:, number] == pytest.approx(by_ir_measures(scores, names, grades), abs=1e-6)


def test_a_topic_without_candidates_is_worth_nothing() -> None:
    topic = judge("q", np.empty((0, len(SIGNALS))), [], {"a": 1})
    assert topic.ndcg(MATRIX).tolist() == [[0, 0, 0], [0, 0, 0]]


QUESTIONS = [
    Topic("b", "why do my legs jerk when I fall asleep"),
    Topic("a", "where can I feel my pulse"),
    Topic("c", "sore gums under a denture"),
    Topic("d", '"restless legs" at night'),
    Topic("e", "magnesium for night leg cramps and sciatica"),
    Topic("unjudged", "what is a fever"),
    Topic("without a relevant one", "what is a cold"),
]


def qrels(knowledge_base: KnowledgeBase, unit: str) -> list[object]:
    """Every third unit that a question finds is judged, by turns relevant and not."""
    made: list[object] = []
    for topic in QUESTIONS[:5]:
        for place, (name, _) in enumerate(runs.run(knowledge_base, topic.text, unit, 60)[::3]):  # type: ignore[arg-type]
            made.append(ir_measures.Qrel(topic.id, name, (place + 1) % 3))
        made.append(ir_measures.Qrel(topic.id, f"{topic.id} is nowhere", 2))
    return [*made, ir_measures.Qrel("without a relevant one", "pulse-points", 0)]


def in_order_of_score(asked: KnowledgeBase, topic: Topic, unit: Unit) -> list[Scored]:
    """The run of one topic, without the variety that `kb eval` shows sections with."""
    ranking = runs.rank(asked, topic.text)
    return [
        Scored(topic.id, runs.unit_id(asked, int(ranking.rows[place]), unit), -number)
        for number, place in enumerate(ranking.grouped(unit)[:RUN_DEPTH])
    ]


@pytest.mark.parametrize("unit", ["section", "article"])
def test_what_is_gathered_once_measures_as_asking_anew_with_those_weights(
    knowledge_base: KnowledgeBase, unit: str
) -> None:
    judgments = qrels(knowledge_base, unit)
    steps: list[int] = []
    topics = judged_topics(
        knowledge_base,
        QUESTIONS,
        judgments,
        unit,  # type: ignore[arg-type]
        lambda: steps.append(1),
    )
    assert [topic.id for topic in topics] == ["a", "b", "c", "d", "e"]
    assert topics[-1].booster
    assert len(topics[-1].booster.subjects) == 3
    assert len(steps) == len(QUESTIONS)
    for weights in WEIGHTS:
        with KnowledgeBase.open(knowledge_base.path, weights=weights) as asked:
            run = [
                scored for topic in QUESTIONS for scored in in_order_of_score(asked, topic, unit)
            ]  # type: ignore[arg-type]
            expected = evaluate(run, judgments).by_topic
        for topic in topics:
            values = topic.ndcg(weight_row(weights)[np.newaxis])[:, 0]
            assert values == pytest.approx([expected[topic.id][m] for m in MEASURES], abs=1e-6)


def test_judgments_of_another_unit_are_refused(knowledge_base: KnowledgeBase) -> None:
    judgments = [ir_measures.Qrel("a", "pulse-points", 2)]
    assert judged_topics(knowledge_base, QUESTIONS, judgments, "article")
    with pytest.raises(KbError, match=r"--unit is section"):
        judged_topics(knowledge_base, QUESTIONS, judgments, "section")
    assert judged_topics(knowledge_base, QUESTIONS[5:], judgments, "section") == []


def test_every_weight_has_a_signal() -> None:
    assert SIGNALS == ("keyword", "dense", "sentence", "name", "focus", "wording")
    assert weight_row(DEFAULT_WEIGHTS).tolist() == [
        getattr(DEFAULT_WEIGHTS, name) for name in SIGNALS
    ]
