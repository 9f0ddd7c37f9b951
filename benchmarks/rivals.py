"""Given an index and judged questions, this ranking against what most systems ship, topic by topic.

    python benchmarks/rivals.py --index DIR --topics TOPICS.jsonl --qrels QRELS.txt [--field summary] [--unit article]

BM25F alone, the passages' vectors alone, and the reciprocal rank fusion of the two (k = 60) rank the same candidates;
a unit counts by its best passage. Prints nDCG@10 of each, as ir-measures has it, the gain of the shipped ranking over
it, and the 95 % interval of that gain (paired bootstrap over topics, fixed seed).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb import KnowledgeBase
from kb.evaluation import runs
from kb.evaluation.fitting import confidence_interval
from kb.evaluation.measures import Scored, Topic, evaluate, read_qrels, read_topics, run_topics
from kb.ranking.fusion import DEFAULT_WEIGHTS
from kb.ranking.ranking import Ranking
from kb.schema.search_request import Unit

RRF_K = 60
MEASURE = "nDCG@10"


def reciprocal_ranks(ranking: Ranking) -> NDArray[np.float64]:
    """The sum of 1 / (k + rank) by words and by meaning."""
    total = np.zeros(len(ranking.rows))
    for scores in map(ranking.candidates.signal, ("keyword", "dense")):
        ranks = np.empty(len(scores))
        ranks[np.argsort(-scores, kind="stable")] = np.arange(1, len(scores) + 1)
        total += np.where(scores > 0, 1 / (RRF_K + ranks), 0.0)
    return total


RIVALS: dict[str, Callable[[Ranking], NDArray[np.float64]]] = {
    "BM25F": lambda ranking: ranking.candidates.signal("keyword").astype(np.float64),
    "vectors": lambda ranking: ranking.candidates.signal("dense").astype(np.float64),
    "reciprocal rank fusion": reciprocal_ranks,
}


def run_of(
    asked: KnowledgeBase,
    topics: Sequence[Topic],
    unit: Unit,
    rival: Callable[..., NDArray[np.float64]],
) -> list[Scored]:
    """The run of a rival, 100 deep."""
    run = []
    for topic in topics:
        ranking = runs.rank(asked, topic.text)
        scores = rival(ranking)
        run += [
            Scored(
                topic.id,
                runs.unit_id(asked, int(ranking.rows[place]), unit),
                float(scores[place]),
            )
            for place in ranking.best_of_each(unit, scores)[:100]
        ]
    return run


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--topics", type=Path, required=True)
    parser.add_argument("--qrels", type=Path, required=True)
    parser.add_argument("--field", default="text")
    parser.add_argument("--unit", choices=["section", "article"], default="section")
    options = parser.parse_args()
    topics, judgments = read_topics(options.topics, options.field), read_qrels(options.qrels)
    with KnowledgeBase.open(options.index, weights=DEFAULT_WEIGHTS) as asked:
        own = evaluate(run_topics(asked, topics, options.unit, 100), judgments)
        print(f"| {own.topics} questions | nDCG@10 | gain over it | 95 % |\n|---|---|---|---|")
        print(f"| as shipped | {own.means[MEASURE]:.3f} | | |")
        for name, rival in RIVALS.items():
            other = evaluate(run_of(asked, topics, options.unit, rival), judgments)
            gains = own.gains_over(other, MEASURE)
            low, high = confidence_interval(gains, np.random.default_rng(0))
            print(
                f"| {name} | {other.means[MEASURE]:.3f} | {gains.mean():+.3f} | {low:+.3f} to {high:+.3f} |"
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
