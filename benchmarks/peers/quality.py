"""Given what an engine ranked for each question, the measures of `kb eval`: a section counts by its best passage."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.peers.material import Material
from kb.evaluation import Scored, evaluate, read_qrels

MEASURES = {
    "ndcg": "nDCG@10",
    "ndcg_judged": "nDCG(judged_only=True)@10",
    "recall_100": "R@100",
}


def quality(run: Sequence[Sequence[Any]], material: Material, qrels: Path) -> dict[str, float]:
    """`run` holds the passages of each question of the material, by row or id, best first."""
    units: dict[Any, str] = {}
    for row, passage in enumerate(material.passages):
        units[row] = units[passage.id] = passage.unit
    scored = [
        Scored(topic, unit, 1 / place)
        for (topic, _), passages in zip(material.questions, run, strict=True)
        for place, unit in enumerate(dict.fromkeys(units[passage] for passage in passages), start=1)
    ]
    means = evaluate(scored, read_qrels(qrels)).means
    return {name: means[measure] for name, measure in MEASURES.items()}
