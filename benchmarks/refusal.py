"""Given an index and questions, how often it says that it has no answer, and where that line might lie instead.

    python benchmarks/refusal.py --index DIR --topics TOPICS.jsonl [--field text] [--removed QRELS.txt]

With `--removed`, the articles with a section that is judged relevant to a question (article ids, or ids of sections)
are left out when it is asked: what is answered then, is answered from the next best. Prints the share that is `none`,
and the share that would be with the line laid higher or lower by so much.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np

from kb import KnowledgeBase
from kb.evaluation import runs
from kb.evaluation.measures import read_qrels, read_topics
from kb.ranking.confidence import unrelated
from kb.ranking.fusion import DEFAULT_WEIGHTS

SHIFTS = (-0.09, -0.06, -0.03, 0.0, 0.03, 0.06, 0.09, 0.12)


def evidence(asked: KnowledgeBase, question: str, without: set[str]) -> float:
    """The evidence of a question once the articles that hold the units `without` have gone."""
    ranking = runs.rank(asked, question)
    if not without:
        return ranking.evidence()
    gone = {
        int(article)
        for row, article in zip(ranking.rows, ranking.articles, strict=True)
        if {runs.unit_id(asked, int(row), unit) for unit in ("section", "article")} & without
    }
    kept = np.flatnonzero(~np.isin(ranking.articles, list(gone)))
    return replace(ranking, candidates=ranking.candidates.subset(kept)).evidence()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--topics", type=Path, required=True)
    parser.add_argument("--field", default="text")
    parser.add_argument(
        "--removed", type=Path, help="judgments whose relevant articles are left out"
    )
    parser.add_argument(
        "--limit", type=int, default=0, help="only so many questions, evenly spread"
    )
    options = parser.parse_args()
    topics = read_topics(options.topics, options.field)
    if options.limit:
        topics = topics[:: max(1, len(topics) // options.limit)][: options.limit]
    relevant = defaultdict(set)
    for judgment in read_qrels(options.removed) if options.removed else ():
        if judgment.relevance > 0:
            relevant[judgment.query_id].add(judgment.doc_id)
    with KnowledgeBase.open(options.index, weights=DEFAULT_WEIGHTS) as asked:
        line = unrelated(asked.passage_count)
        found = np.array([evidence(asked, topic.text, relevant[topic.id]) for topic in topics])
    print(f"{len(topics)} questions, line {line:.3f}: none {(found < line).mean():.1%}")
    print("| line " + " | ".join(f"{shift:+.2f}" for shift in SHIFTS) + " |")
    print("|---" * (len(SHIFTS) + 1) + "|")
    print("| none " + " | ".join(f"{(found < line + shift).mean():.1%}" for shift in SHIFTS) + " |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
