"""Given several judged libraries, what weights chosen anew are worth on questions that they were not chosen by.

    python -m benchmarks.choosing --home DIR TOPICS.jsonl QRELS.txt --field summary --field message \\
        [--other DIR TOPICS.jsonl QRELS.txt section] [--other DIR TOPICS.jsonl QRELS.txt article ...]

Nothing begins at the shipped weights: 1,500 are drawn around five equal ones, and chosen from in several ways by four
fifths of the home library's questions, in all their forms, plain nDCG@10 and that with unjudged removed counting
alike; they answer the last fifth. Prints a Markdown table: of each form nDCG@10, the 95 % interval of its difference
from the shipped weights' (paired bootstrap over questions, fixed seed), and nDCG@10 with unjudged removed; then the
weights' mean over folds, and the largest standard deviation of one. As in kb.judged, what lifts several subjects and
the variety of the first page are left out. Questions without a relevant section count 0, as in `kb eval`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb import KnowledgeBase
from kb.evaluation import read_qrels, read_topics
from kb.fitting import FOLDS, confidence_interval, measured
from kb.fusion import DEFAULT_WEIGHTS
from kb.judged import SIGNALS, JudgedTopic, judged_topics, weight_row
from kb.ranking import Unit

DRAWS, CLOSENESS = 1500, 20.0
TENTH = DRAWS // 10
REPEATS = 10

Values = NDArray[np.float64]
Choice = Callable[[Values], Values]
"""Weights, (5,), for what each training question gives with each draw, (questions, K)."""


def judged(index: str, topics: str, qrels: str, unit: Unit, field: str) -> list[JudgedTopic]:
    """The judged questions of a library."""
    with KnowledgeBase.open(index, weights=DEFAULT_WEIGHTS) as asked:
        return judged_topics(asked, read_topics(Path(topics), field), read_qrels(Path(qrels)), unit)


def choices(draws: Values, elsewhere: Values) -> dict[str, Choice]:
    """Ways to choose; the first draw is that of equal weights, `elsewhere` what draws are worth in other libraries."""
    shipped = weight_row(DEFAULT_WEIGHTS)
    distance = np.abs(draws - draws[0]).sum(axis=1)

    def best_tenth(worth: Values) -> Values:
        return np.asarray(draws[np.argsort(-worth, kind="stable")[:TENTH]].mean(axis=0))

    def within_an_error(values: Values) -> Values:
        worth = values.mean(axis=0)
        best = int(worth.argmax())
        error = (values - values[:, [best]]).std(axis=0) / np.sqrt(len(values))
        return np.asarray(draws[np.where(worth >= worth[best] - error, distance, np.inf).argmin()])

    return {
        "as shipped": lambda _: shipped,
        "five equal weights": lambda _: draws[0],
        "the best": lambda values: draws[values.mean(axis=0).argmax()],
        "the mean of the best tenth": lambda values: best_tenth(values.mean(axis=0)),
        "nearest to equal within a standard error of the best": within_an_error,
        "best tenth, here and elsewhere": lambda values: best_tenth(
            values.mean(axis=0) + elsewhere
        ),
    }


def cross_validated(
    forms: dict[str, dict[str, JudgedTopic]], by_topic: dict[str, Values], choose: Choice
) -> tuple[dict[str, Values], Values]:
    """Of each form both measures of each question, (2, questions), the mean over REPEATS partitions; all weights."""
    random = np.random.default_rng(1)
    ids = sorted(by_topic)
    found = {form: {topic: np.zeros(2) for topic in topics} for form, topics in forms.items()}
    weights = []
    for _ in range(REPEATS):
        for fold in np.array_split(random.permutation(ids), FOLDS):
            held_out = set(fold.tolist())
            train = [by_topic[topic] for topic in ids if topic not in held_out]
            weights.append(choose(np.array(train)))
            for form, topics in forms.items():
                for topic in held_out & topics.keys():
                    values = topics[topic].ndcg(weights[-1][np.newaxis])
                    found[form][topic] += values[:, 0] / REPEATS
    told = {form: np.stack(list(of.values()), axis=1) for form, of in found.items()}
    return told, np.array(weights)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", nargs=3, required=True, metavar=("INDEX", "TOPICS", "QRELS"))
    parser.add_argument("--field", action="append", required=True)
    parser.add_argument(
        "--other",
        nargs=4,
        action="append",
        default=[],
        metavar=("INDEX", "TOPICS", "QRELS", "UNIT"),
    )
    options = parser.parse_args()
    random = np.random.default_rng(0)
    equal = np.full(len(SIGNALS), 1 / len(SIGNALS))
    draws = np.concatenate((equal[np.newaxis], random.dirichlet(CLOSENESS * equal, DRAWS)))
    forms = {
        field: {topic.id: topic for topic in judged(*options.home, "section", field)}
        for field in options.field
    }
    asked = len(read_topics(Path(options.home[1]), options.field[0]))
    by_topic = {
        topic: np.mean(
            [of[topic].ndcg(draws).mean(axis=0) for of in forms.values() if topic in of], axis=0
        )
        for topic in set().union(*forms.values())
    }
    others = [measured(judged(*other, "text"), draws)[0] for other in options.other]
    elsewhere = np.zeros(len(draws))
    if others:
        elsewhere = np.mean([values.mean(axis=0) for values in others], axis=0)
    fields = " | ".join(f"`{form}` | change, 95 % | unjudged removed" for form in forms)
    print(f"| {asked} questions | {fields} | weights | sd |")
    print("|---" * (3 * len(forms) + 3) + "|")
    before: dict[str, Values] = {}
    for name, choose in choices(draws, elsewhere).items():
        after, weights = cross_validated(forms, by_topic, choose)
        before = before or after
        cells = []
        for form, both in after.items():
            answered = both.shape[1] / asked
            change = (both - before[form])[0] * answered
            low, high = confidence_interval(change, np.random.default_rng(0))
            plain, among_judged = both.mean(axis=1) * answered
            cells.append(f"{plain:.3f} | {low:+.3f} to {high:+.3f} | {among_judged:.3f}")
        mean = " ".join(f"{weight:.2f}" for weight in weights.mean(axis=0))
        spread = weights.std(axis=0).max()
        print(f"| {name} | {' | '.join(cells)} | {mean} | {spread:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
