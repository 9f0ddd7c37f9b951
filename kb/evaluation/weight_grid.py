"""nDCG@10 of judged questions under any weights, without asking again.

A score is linear in the weights. So the candidates of a question and their signals are gathered once, and one product
of matrices measures many weights. Boosts (kb.ranking.boosts) are added on top.

The values are those of ir-measures for the same ranking. Gains are the grades, discounts log2 of the rank plus 1
(Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques", TOIS 2002). `RUN_DEPTH` units of the
ranking count, and a grade below 0 means unjudged. Of equal scores, to float32, the earlier passage is first, as in
`kb eval`.

Diversifying the first page (kb.ranking.variety) moves a few sections under any weights, and is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from kb.evaluation import runs
from kb.evaluation.measures import Topic
from kb.knowledge_base import KnowledgeBase
from kb.ranking.boosts import Booster
from kb.ranking.fusion import FusionWeights
from kb.ranking.ranking import Ranking
from kb.schema.errors import KbError
from kb.schema.search_request import Unit

NDCG_CUTOFF = 10
"""Number of units that nDCG looks at."""

RUN_DEPTH = 100
"""Number of units in a run, as in `kb eval`. It matters once unjudged units are removed."""

SIGNALS = tuple(field.name for field in fields(FusionWeights))


@dataclass(frozen=True, slots=True)
class JudgedTopic:
    """The candidates of one judged question, unit by unit; of units with equal scores the first stands first.

    `signals`, float64 (N, len(SIGNALS)), holds for each passage what each signal adds for a weight of 1; `booster` is
    what lifts them, if anything does. Unit u has the rows from `starts[u]` on. `judged` are the places, among the
    units, of those judged, and `gains` their grades. `ideal` is the DCG@10 of the best order of all that was judged,
    found or not; above 0.
    """

    id: str
    signals: NDArray[np.float64]
    booster: Booster | None
    starts: NDArray[np.int64]
    judged: NDArray[np.int64]
    gains: NDArray[np.float64]
    ideal: float

    def ndcg(self, weights: NDArray[np.float64]) -> NDArray[np.float64]:
        """nDCG@10, and the same with unjudged units removed, (2, K), 0 to 1, for weights (K, len(SIGNALS))."""
        values = np.zeros((2, len(weights)))
        if not len(self.judged):
            return values
        by_passage = self.signals @ weights.T
        if self.booster:
            by_passage = self.booster.boost(by_passage)
        scores = np.maximum.reduceat(by_passage, self.starts, axis=0).astype(np.float32)
        for place, gain in zip(self.judged, self.gains, strict=True):
            if not gain:
                continue
            before = scores > scores[place]
            before[:place] |= scores[:place] == scores[place]
            rank = 1 + before.sum(axis=0)
            rank_among_judged = 1 + before[self.judged].sum(axis=0)
            values[0] += np.where(rank <= NDCG_CUTOFF, gain / np.log2(1 + rank), 0)
            found = (rank <= RUN_DEPTH) & (rank_among_judged <= NDCG_CUTOFF)
            values[1] += np.where(found, gain / np.log2(1 + rank_among_judged), 0)
        return values / self.ideal


def weight_row(weights: FusionWeights) -> NDArray[np.float64]:
    """The weights as a row for `JudgedTopic.ndcg`, (len(SIGNALS),), in the order of SIGNALS."""
    return np.array(astuple(weights), dtype=np.float64)


def judge(
    topic_id: str,
    signals: NDArray[np.float64],
    units: Sequence[str],
    grades: Mapping[str, int],
    booster: Booster | None = None,
) -> JudgedTopic:
    """One question's candidates beside its grades, of which one at least is above 0.

    `signals` are as in JudgedTopic, in the order of passages, which `booster` has too; `units` names the unit of each.
    """
    first: dict[str, int] = {}
    for row, unit in enumerate(units):
        first.setdefault(unit, row)
    order = sorted(range(len(units)), key=lambda row: first[units[row]])
    starts = [
        place
        for place, row in enumerate(order)
        if not place or units[row] != units[order[place - 1]]
    ]
    known = [
        (place, grade)
        for place, start in enumerate(starts)
        if (grade := grades.get(units[order[start]], -1)) >= 0
    ]
    best = sorted((grade for grade in grades.values() if grade > 0), reverse=True)[:NDCG_CUTOFF]
    return JudgedTopic(
        id=topic_id,
        signals=signals[order],
        booster=booster.subset(order) if booster else None,
        starts=np.array(starts, dtype=np.int64),
        judged=np.array([place for place, _ in known], dtype=np.int64),
        gains=np.array([grade for _, grade in known], dtype=np.float64),
        ideal=float(sum(grade / np.log2(rank + 1) for rank, grade in enumerate(best, start=1))),
    )


def judged_topics(
    knowledge_base: KnowledgeBase,
    topics: Iterable[Topic],
    qrels: Iterable[Any],
    unit: Unit,
    advance: Callable[[], None] = lambda: None,
) -> list[JudgedTopic]:
    """Ask the topics that have a relevant unit, by ascending id. The others say nothing about weights.

    Raises KbError where no relevant unit at all is among the candidates of its topic.
    """
    grades: dict[str, dict[str, int]] = {}
    for judgment in qrels:
        grades.setdefault(judgment.query_id, {})[judgment.doc_id] = judgment.relevance
    names: dict[int, str] = {}
    judged = []
    for topic in sorted(topics, key=lambda topic: topic.id):
        known = grades.get(topic.id, {})
        if max(known.values(), default=0) > 0:
            ranking = runs.rank(knowledge_base, topic.text)
            owners = ranking.owners(unit).tolist()
            for owner, row in zip(owners, ranking.rows.tolist(), strict=True):
                if owner not in names:
                    names[owner] = runs.unit_id(knowledge_base, row, unit)
            units = [names[owner] for owner in owners]
            judged.append(judge(topic.id, _signals(ranking), units, known, ranking.booster))
        advance()
    if judged and not any(topic.gains.any() for topic in judged):
        raise KbError(
            f"No {unit} that was judged relevant is found for any topic. "
            f"Are the judgments of another unit, or of another library? --unit is {unit}."
        )
    return judged


def _signals(ranking: Ranking) -> NDArray[np.float64]:
    """What each signal adds for a weight of 1: the ranking's own scores under the rows of the identity."""
    columns = [ranking.rescored(FusionWeights(*row)) for row in np.eye(len(SIGNALS)).tolist()]
    return np.stack(columns, axis=1)
