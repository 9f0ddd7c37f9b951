"""Measures the ranking beside plain ones over all collections, and prints a table in Markdown.

    python -m benchmarks.suite [--only NAME ...] [--folder build/suite] [--json FILE]

An index that is missing or stale is built first: hours for all of them, half an hour for MedQuAD alone. Each cell is
"an answering unit first / among the first three / nDCG@10". The gain is that of nDCG@10 over the best plain ranker,
with its 95 % interval by a paired bootstrap over questions. The rule: no interval lies below 0 as a whole, and no mean
is below -.01. Exit code 1 where it is broken.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import get_args

import ir_measures
import numpy as np
from numpy.typing import NDArray

from benchmarks.suite.collections import Collection, Question, collections
from benchmarks.suite.rankers import plain_rankers
from indexer.build.build import build
from indexer.build.request import BuildRequest
from kb import KnowledgeBase
from kb.evaluation import runs
from kb.evaluation.fitting import confidence_interval
from kb.ranking.ranking import Ranking
from kb.schema.results import Answered
from kb.schema.search_request import Unit

DEPTH = 100
TOLERANCE = 0.01
"""How far the mean may be below that of the best plain ranker."""

Run = list[ir_measures.ScoredDoc]


@dataclass(frozen=True, slots=True)
class Figures:
    """Means over the questions, 0 to 1: an answer is first, or among the first three; nDCG@10."""

    first: float
    three: float
    ndcg: float

    def __str__(self) -> str:
        return " / ".join(f"{value:.3f}"[1:] if value < 1 else "1.00" for value in self.values)

    @property
    def values(self) -> tuple[float, float, float]:
        return self.first, self.three, self.ndcg


@dataclass(frozen=True, slots=True)
class Measured:
    """The figures of each ranker over one collection, and the gain in nDCG@10 over the best plain one."""

    name: str
    questions: int
    ours: Figures
    plain: dict[str, Figures]
    best: str
    gain: float
    low: float
    high: float
    verdicts: dict[str, tuple[int, int]]
    """By verdict, the number of questions, and of those whose first unit answers."""

    @property
    def keeps_the_rule(self) -> bool:
        return self.high >= 0 and self.gain >= -TOLERANCE

    def verdict_row(self) -> str:
        cells = [self.name]
        for verdict in get_args(Answered):
            count, right = self.verdicts.get(verdict, (0, 0))
            cells.append(f"{right} of {count} ({right / count:.0%})" if count else "")
        return "| " + " | ".join(cells) + " |"

    def row(self) -> str:
        cells = [self.name, str(self.questions), str(self.ours), *map(str, self.plain.values())]
        cells.append(f"{self.gain:+.3f} ({self.low:+.3f} to {self.high:+.3f})")
        return "| " + " | ".join(cells) + " |"


def index_of(collection: Collection, folder: Path) -> Path:
    """The index of a collection's library, built where it is missing or of another corpus."""
    index, corpus = folder / collection.library, collection.corpus
    if collection.change is not None:
        corpus = folder / f"{collection.library}.jsonl"
        with gzip.open(collection.corpus, "rt", encoding="utf-8") as articles:
            changed = collection.change(map(json.loads, articles))
            lines = [json.dumps(article, ensure_ascii=False) for article in changed]
        corpus.write_text("\n".join(lines) + "\n", encoding="utf-8")
    build(BuildRequest(index, [corpus], replace=True))
    return index


def measure(collection: Collection, index: Path) -> Measured:
    """Ask all questions of a collection."""
    with KnowledgeBase.open(index, weights=None) as asked:
        questions = [
            each for each in collection.questions() if max(each.grades.values(), default=0) > 0
        ]
        if collection.change is not None:
            there = {
                unit
                for ordinal in range(len(asked.engine.citer.passages))
                for unit in [runs.unit_id(asked, ordinal, collection.unit)]
            }
            questions = [
                each for each in questions if there & {u for u, g in each.grades.items() if g > 0}
            ]
        own: Run = []
        verdicts: dict[str, tuple[int, int]] = {}
        others: list[tuple[str, Run]] = [(name, []) for name, _ in plain_rankers()]
        for question in questions:
            found = runs.run(asked, question.text, collection.unit, DEPTH)
            answered = asked.search(question.text, limit=1).answered
            count, right = verdicts.get(answered, (0, 0))
            is_right = (
                bool(found) and question.grades.get(found[0][0], 0) >= collection.answer_grade
            )
            verdicts[answered] = (count + 1, right + is_right)
            own += [ir_measures.ScoredDoc(question.id, unit, score) for unit, score in found]
            ranking = runs.rank(asked, question.text)
            for (_, ranker), (_, lines) in zip(plain_rankers(), others, strict=True):
                lines.extend(_run(asked, ranking, ranker(ranking), question, collection.unit))
    qrels = [
        ir_measures.Qrel(question.id, unit, grade)
        for question in questions
        for unit, grade in question.grades.items()
    ]
    ours, by_question = _figures(own, qrels, collection.answer_grade)
    plain: dict[str, Figures] = {}
    values: dict[str, NDArray[np.float64]] = {}
    for name, run in others:
        figures, each = _figures(run, qrels, collection.answer_grade)
        if name not in plain or figures.ndcg > plain[name].ndcg:  # of the sums, the best
            plain[name], values[name] = figures, each
    best = max(plain, key=lambda name: plain[name].ndcg)
    gains = by_question - values[best]
    low, high = confidence_interval(gains, np.random.default_rng(0))
    return Measured(
        collection.name, len(questions), ours, plain, best, float(gains.mean()), low, high, verdicts
    )


def _run(
    asked: KnowledgeBase,
    ranking: Ranking,
    scores: NDArray[np.float64],
    question: Question,
    unit: Unit,
) -> Run:
    return [
        ir_measures.ScoredDoc(
            question.id, runs.unit_id(asked, int(ranking.rows[place]), unit), float(scores[place])
        )
        for place in ranking.best_of_each(unit, scores)[:DEPTH]
    ]


def _figures(
    run: Run, qrels: Iterable[ir_measures.Qrel], grade: int
) -> tuple[Figures, NDArray[np.float64]]:
    """The means, and nDCG@10 of each question in the order of their ids."""
    success = ir_measures.Success(rel=grade)
    measures = (success @ 1, success @ 3, ir_measures.nDCG @ 10)
    found: dict[str, dict[str, float]] = {name: {} for name in map(str, measures)}
    for metric in ir_measures.iter_calc(measures, list(qrels), run):
        found[str(metric.measure)][metric.query_id] = metric.value
    means = [float(np.mean(list(values.values()))) for values in found.values()]
    by_id = found[str(measures[2])]
    return Figures(*means), np.array([by_id[topic] for topic in sorted(by_id)])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--only", nargs="*", default=[], help="collections whose names hold one of these"
    )
    parser.add_argument(
        "--folder", type=Path, default=Path("build/suite"), help="where indexes are kept"
    )
    parser.add_argument("--json", type=Path, help="write the figures to a file as well")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(name for name, _ in plain_rankers()))
    print(f"| collection | questions | this ranking | {' | '.join(names)} | gain over the best |")
    print("|---|---|---|" + "---|" * (len(names) + 1))
    measured = []
    for collection in collections():
        if options.only and not any(part in collection.name for part in options.only):
            continue
        measured.append(measure(collection, index_of(collection, options.folder)))
        print(measured[-1].row(), flush=True)
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(each) for each in measured], indent=1) + "\n")
    print("\n| first unit right | " + " | ".join(get_args(Answered)) + " |")
    print("|---|" + "---|" * len(get_args(Answered)))
    print("\n".join(each.verdict_row() for each in measured))
    broken = [each.name for each in measured if not each.keeps_the_rule]
    if broken:
        print(f"\nBelow the best plain ranker: {', '.join(broken)}.")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
