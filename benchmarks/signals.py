"""Given an index and judged questions, what each signal of the ranking is worth: the measures without it, and it alone.

    python benchmarks/signals.py --index index --questions tests/quality/questions.jsonl
    python benchmarks/signals.py --index /tmp/medquad --topics TOPICS.jsonl --qrels QRELS.txt --field summary

Prints a Markdown table. `--questions` takes this project's own form, each question with its acceptable sections.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from kb import KnowledgeBase
from kb.evaluation.fitting import confidence_interval
from kb.evaluation.measures import Evaluation, Topic, evaluate, read_qrels, read_topics, run_topics
from kb.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights

MEASURE = "nDCG@10"


def variants() -> Iterator[tuple[str, FusionWeights]]:
    """The shipped weights, then each signal left out, then each alone."""
    yield "as shipped", DEFAULT_WEIGHTS
    names = list(asdict(DEFAULT_WEIGHTS))
    for name in names:
        yield f"without {name}", replace(DEFAULT_WEIGHTS, **{name: 0.0})
    for name in names:
        yield f"{name} alone", FusionWeights(**{other: float(other == name) for other in names})


def own_questions(path: Path) -> tuple[list[Topic], list[Any]]:
    """This project's questions as topics and judgments of grade 1."""
    import ir_measures  # noqa: PLC0415  (a second to import)

    entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    judgments = [
        ir_measures.Qrel(entry["id"], section, 1)
        for entry in entries
        for section in entry["sections"]
    ]
    return [Topic(entry["id"], entry["text"]) for entry in entries], judgments


def change(found: Evaluation, shipped: Evaluation) -> str:
    """What it changes in nDCG@10: the 95 % interval, by a paired bootstrap over questions with a fixed seed."""
    if found is shipped:
        return ""
    low, high = confidence_interval(found.gains_over(shipped, MEASURE), np.random.default_rng(0))
    return f"{low:+.3f} to {high:+.3f}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, default=Path("index"))
    parser.add_argument("--questions", type=Path)
    parser.add_argument("--topics", type=Path)
    parser.add_argument("--qrels", type=Path)
    parser.add_argument("--field", default="text")
    options = parser.parse_args()
    if options.questions is not None:
        topics, judgments = own_questions(options.questions)
    elif options.topics is not None and options.qrels is not None:
        topics, judgments = read_topics(options.topics, options.field), read_qrels(options.qrels)
    else:
        parser.error("give --questions, or --topics and --qrels")
    shipped: Evaluation | None = None
    for name, weights in variants():
        with KnowledgeBase.open(options.index, weights=weights) as knowledge_base:
            found = evaluate(run_topics(knowledge_base, topics, "section", 100), judgments)
        if shipped is None:
            shipped = found
            print(f"| {len(topics)} questions | " + " | ".join(found.means) + " | change, 95 % |")
            print("|---|" + "---|" * (len(found.means) + 1))
        values = " | ".join(f"{value:.3f}" for value in found.means.values())
        print(f"| {name} | {values} | {change(found, shipped)} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
