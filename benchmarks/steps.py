"""Given an index and judged questions, what each step of the ranking adds to those before it, and takes with it.

    python benchmarks/steps.py --index DIR --topics TOPICS.jsonl --qrels QRELS.txt [--field summary]

Begins with words, passages and sentences, and turns on the other steps one by one; then turns each off alone. Prints
nDCG@10, plainly and with unjudged removed, and the 95 % interval of the change (paired bootstrap over questions, fixed
seed). Weights are the shipped ones throughout, those of a signal that is off being 0.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Collection
from contextlib import AbstractContextManager, ExitStack
from dataclasses import replace
from functools import partialmethod
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from kb import KnowledgeBase
from kb.evaluation.fitting import confidence_interval
from kb.evaluation.measures import Evaluation, Topic, evaluate, read_qrels, read_topics, run_topics
from kb.question.query import QuestionReader
from kb.ranking.fusion import DEFAULT_WEIGHTS

MEASURES = ("nDCG@10", "nDCG(judged_only=True)@10")

SIGNALS = {"the nearest name": "name", "the name's words": "focus"}
"""Steps that are a weight."""


def off(step: str) -> list[AbstractContextManager[Any]]:
    """What makes the ranking do without the step, while it is entered."""
    return {
        "names counted from .4 on": [patch("kb.ranking.fusion.UNRELATED_NAME", 0.0)],
        "spelling repaired": [
            patch.object(QuestionReader, "read", partialmethod(QuestionReader.read, exact=True))
        ],
        "other names": [patch("kb.retrieval.postings.VARIANT_WEIGHT", 0.0)],
        "more weight to the focus in long questions": [patch("kb.ranking.fusion.LONG_FOCUS", 1.0)],
        "less to the sentence there": [patch("kb.ranking.fusion.LONG_SENTENCE", 1.0)],
        "several subjects": [patch("kb.ranking.subjects.SUBJECT_BOOST", 0.0)],
        "the kind of section asked for": [
            patch("kb.ranking.section_kinds.OPENING_BONUS", 0.0),
            patch("kb.ranking.section_kinds.KIND_WEIGHT", 0.0),
        ],
        "articles pooled": [patch("kb.ranking.article_pooling.POOLED_SHARE", 0.0)],
        "variety of the first page": [
            patch("kb.ranking.variety.ARTICLE_SHARE", sys.maxsize),
            patch("kb.ranking.variety.ALIKE_BITS", -1),
        ],
    }.get(step, [])


STEPS = (
    "the nearest name",
    "names counted from .4 on",
    "the name's words",
    "spelling repaired",
    "other names",
    "more weight to the focus in long questions",
    "less to the sentence there",
    "several subjects",
    "the kind of section asked for",
    "articles pooled",
    "variety of the first page",
)


def measured(
    index: Path, topics: list[Topic], judgments: list[Any], without: Collection[str]
) -> Evaluation:
    """The measures of the ranking without these steps."""
    weights = replace(
        DEFAULT_WEIGHTS, **{SIGNALS[step]: 0.0 for step in without if step in SIGNALS}
    )
    with ExitStack() as changes:
        for step in without:
            for change in off(step):
                changes.enter_context(change)
        with KnowledgeBase.open(index, weights=weights) as asked:
            return evaluate(run_topics(asked, topics, "section", 100), judgments)


def cells(found: Evaluation, other: Evaluation) -> str:
    """What it measures, and how it differs from the other."""
    told = []
    for measure in MEASURES:
        change = found.gains_over(other, measure)
        low, high = confidence_interval(change, np.random.default_rng(0))
        told.append(
            f"{found.means[measure]:.3f} | {change.mean():+.3f} | {low:+.3f} to {high:+.3f}"
        )
    return " | ".join(told)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--topics", type=Path, required=True)
    parser.add_argument("--qrels", type=Path, required=True)
    parser.add_argument("--field", default="text")
    options = parser.parse_args()
    topics, judgments = read_topics(options.topics, options.field), read_qrels(options.qrels)
    print("| step | nDCG@10 | change | 95 % | unjudged removed | change | 95 % |")
    print("|---|---|---|---|---|---|---|")
    whole = before = measured(options.index, topics, judgments, STEPS)
    first = " | | | ".join(f"{before.means[measure]:.3f}" for measure in MEASURES)
    print(f"| words, passage and sentence | {first} | | |")
    for count, step in enumerate(STEPS, start=1):
        whole = measured(options.index, topics, judgments, STEPS[count:])
        print(f"| + {step} | {cells(whole, before)} |", flush=True)
        before = whole
    for step in STEPS:
        alone = measured(options.index, topics, judgments, [step])
        print(f"| all but {step} | {cells(alone, whole)} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
