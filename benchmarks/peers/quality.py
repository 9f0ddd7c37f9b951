"""Given what an engine ranked for each question, the measures of `kb eval`: a section counts by its best passage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.material import Material
from kb.evaluation.measures import Scored, evaluate, read_qrels

MEASURES = {
    "ndcg": "nDCG@10",
    "ndcg_judged": "nDCG(judged_only=True)@10",
    "recall_100": "R@100",
}


def quality(run: Sequence[Sequence[Any]], material: Material, qrels: Path) -> dict[str, Any]:
    """`run` holds the passages of each question of the material, by row or id, best first.

    The mean of each measure, and as `ndcg_of_each` the nDCG@10 of each question.
    """
    units: dict[Any, str] = {}
    for row, passage in enumerate(material.passages):
        units[row] = units[passage.id] = passage.unit
    scored = [
        Scored(topic, unit, 1 / place)
        for (topic, _), passages in zip(material.questions, run, strict=True)
        for place, unit in enumerate(dict.fromkeys(units[passage] for passage in passages), start=1)
    ]
    found = evaluate(scored, read_qrels(qrels))
    means = {name: found.means[measure] for name, measure in MEASURES.items()}
    ndcg = MEASURES["ndcg"]
    each = [
        round(found.by_topic.get(topic, {}).get(ndcg, 0.0), 4) for topic, _ in material.questions
    ]
    return means | {"ndcg_of_each": each}
