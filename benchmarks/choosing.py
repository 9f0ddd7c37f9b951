"""Given several judged libraries, what weights chosen anew are worth on questions that they were not chosen by.

    python -m benchmarks.choosing --home DIR TOPICS.jsonl QRELS.txt --field summary --field message \\
        [--other DIR TOPICS.jsonl QRELS.txt section] [--other DIR TOPICS.jsonl QRELS.txt article ...] \\
        [--plain DIR QUESTIONS.jsonl ...]

Nothing begins at the shipped weights: 1,500 are drawn around five equal ones, each with every share by which an
article is pooled (kb.ranking.article_pooling), and chosen from in several ways by four fifths of the home library's
questions, in all their forms, plain nDCG@10 and that with unjudged removed counting alike; with them the whole ranking
answers the last fifth. Prints a Markdown table: of each form nDCG@10, the 95 % interval of its difference from the
shipped weights' (paired bootstrap over questions, fixed seed), and nDCG@10 with unjudged removed; then the mean over
folds of the weights and, last, the share, and the largest standard deviation of a weight. Questions without a relevant
section count 0, as in `kb eval`. `--plain` takes this project's own form, each question with its acceptable sections;
those beside them are not judged, so that plain nDCG@10 alone counts there.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from numpy.typing import NDArray

from benchmarks.signals import own_questions
from kb import KnowledgeBase
from kb.evaluation.fitting import FOLDS, MEASURES, confidence_interval
from kb.evaluation.measures import Topic, evaluate, read_qrels, read_topics, run_topics
from kb.evaluation.weight_grid import RUN_DEPTH, SIGNALS, JudgedTopic, judged_topics, weight_row
from kb.ranking.article_pooling import POOLED_SHARE
from kb.ranking.fusion import DEFAULT_WEIGHTS, FusionWeights
from kb.schema.search_request import Unit

DRAWS, CLOSENESS = 1500, 20.0
REPEATS = 10
SHARES = (0.0, 0.3, 0.6, 0.9)
"""By so much an article is pooled, in what is chosen from."""

Values = NDArray[np.float64]
Choice = Callable[[Values], Values]
"""Weights and share, (6,), for what each training question gives with each draw, (questions, K)."""


@dataclass(frozen=True, slots=True)
class Home:
    """The library whose questions are held out by turns: by form and id, those that have a relevant section."""

    index: Path
    topics: dict[str, dict[str, Topic]]
    judgments: list[Any]

    def answered(self, ids: Collection[str], weights: Values) -> dict[str, dict[str, Values]]:
        """By form and id both measures, (2,), of these questions, asked with the weights and the share, (6,)."""
        found: dict[str, dict[str, Values]] = {}
        *chosen, share = weights.tolist()
        with (
            patch("kb.ranking.article_pooling.POOLED_SHARE", share),
            KnowledgeBase.open(self.index, weights=FusionWeights(*chosen)) as asked,
        ):
            for form, topics in self.topics.items():
                wanted = [topics[topic] for topic in sorted(ids) if topic in topics]
                run = run_topics(asked, wanted, "section", RUN_DEPTH)
                by_topic = evaluate(run, self.judgments).by_topic
                found[form] = {
                    topic.id: np.array([by_topic[topic.id][name] for name in MEASURES])
                    for topic in wanted
                }
        return found


def judged(
    index: str | Path, topics: list[Topic], judgments: list[Any], unit: Unit = "section"
) -> list[JudgedTopic]:
    """The questions that have a relevant unit, asked of a library."""
    with KnowledgeBase.open(index, weights=DEFAULT_WEIGHTS) as asked:
        return judged_topics(asked, topics, judgments, unit)


def drawn(random: np.random.Generator) -> Values:
    """Weights, those of each draw with every share, (K, 6); the first of each share are five equal ones."""
    equal = np.full(len(SIGNALS), 1 / len(SIGNALS))
    weights = np.concatenate((equal[np.newaxis], random.dirichlet(CLOSENESS * equal, DRAWS)))
    return np.concatenate([np.insert(weights, len(SIGNALS), share, axis=1) for share in SHARES])


def worth_of(topic: JudgedTopic, draws: Values) -> Values:
    """Both measures of a question with each draw, (2, K)."""
    weights = draws[: len(draws) // len(SHARES), :-1]  # which come again with each share
    if topic.booster is None or not topic.booster.nearness.any():  # no share counts
        return np.tile(topic.ndcg(weights), len(SHARES))
    found = []
    for share in SHARES:
        with patch("kb.ranking.article_pooling.POOLED_SHARE", share):
            found.append(topic.ndcg(weights))
    return np.concatenate(found, axis=1)


def plain(topics: list[JudgedTopic], draws: Values) -> Values:
    """Plain nDCG@10 of each question with each draw, (questions, K)."""
    return np.array([worth_of(topic, draws)[0] for topic in topics])


def choices(draws: Values, elsewhere: Values, plainly: Values) -> dict[str, Choice]:
    """Ways to choose.

    `elsewhere`, (K,), is what draws are worth in other libraries; `plainly`, (questions, K), to plain questions.
    """
    shipped = np.append(weight_row(DEFAULT_WEIGHTS), POOLED_SHARE)
    equal = np.arange(0, len(draws), len(draws) // len(SHARES))
    distance = np.abs(draws[:, :-1] - draws[0, :-1]).sum(axis=1)

    def best_tenth(worth: Values) -> Values:
        best = np.argsort(-worth, kind="stable")[: len(draws) // 10]
        return np.asarray(draws[best].mean(axis=0))

    def best_equal(values: Values) -> Values:
        return np.asarray(draws[equal[values[:, equal].mean(axis=0).argmax()]])

    def halfway(values: Values) -> Values:
        return np.asarray((best_tenth(values.mean(axis=0)) + best_equal(values)) / 2)

    def within_an_error(values: Values) -> Values:
        worth = values.mean(axis=0)
        best = int(worth.argmax())
        error = (values - values[:, [best]]).std(axis=0) / np.sqrt(len(values))
        return np.asarray(draws[np.where(worth >= worth[best] - error, distance, np.inf).argmin()])

    return {
        "as shipped": lambda _: shipped,
        "five equal weights, the best share": best_equal,
        "the best": lambda values: draws[values.mean(axis=0).argmax()],
        "the mean of the best tenth": lambda values: best_tenth(values.mean(axis=0)),
        "halfway between the two": halfway,
        "nearest to equal within a standard error of the best": within_an_error,
        "best tenth, here and elsewhere": lambda values: best_tenth(
            values.mean(axis=0) + elsewhere
        ),
        "best tenth, here and of plain questions": lambda values: best_tenth(
            np.concatenate((values, plainly)).mean(axis=0)
        ),
    }


def cross_validated(
    home: Home, by_topic: dict[str, Values], choose: Choice
) -> tuple[dict[str, Values], Values]:
    """Of each form both measures of each question, (2, questions), the mean over REPEATS partitions; all weights."""
    random = np.random.default_rng(1)
    ids = sorted(by_topic)
    found = {form: {topic: np.zeros(2) for topic in topics} for form, topics in home.topics.items()}
    weights: list[Values] = []
    for _ in range(REPEATS):
        for fold in np.array_split(random.permutation(ids), FOLDS):
            held_out = set(fold.tolist())
            train = [by_topic[topic] for topic in ids if topic not in held_out]
            weights.append(choose(np.array(train)))
            for form, values in home.answered(held_out, weights[-1]).items():
                for topic, both in values.items():
                    found[form][topic] += both / REPEATS
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
    parser.add_argument(
        "--plain", nargs=2, action="append", default=[], metavar=("INDEX", "QUESTIONS")
    )
    options = parser.parse_args()
    random = np.random.default_rng(0)
    draws = drawn(random)
    index, path, qrels = map(Path, options.home)
    asked = len(read_topics(path, options.field[0]))
    home = Home(index, {}, read_qrels(qrels))
    worth: dict[str, list[Values]] = {}
    for field in options.field:
        topics = read_topics(path, field)
        known = judged(index, topics, home.judgments)
        ids = {topic.id for topic in known}
        home.topics[field] = {topic.id: topic for topic in topics if topic.id in ids}
        for topic in known:
            worth.setdefault(topic.id, []).append(worth_of(topic, draws).mean(axis=0))
    by_topic = {topic: np.mean(of, axis=0) for topic, of in worth.items()}
    others = [
        plain(judged(place, read_topics(Path(asking)), read_qrels(Path(graded)), unit), draws)
        for place, asking, graded, unit in options.other
    ]
    elsewhere = np.zeros(len(draws))
    if others:
        elsewhere = np.mean([values.mean(axis=0) for values in others], axis=0)
    plainly = np.concatenate(
        [np.empty((0, len(draws)))]
        + [
            plain(judged(place, *own_questions(Path(asking))), draws)
            for place, asking in options.plain
        ]
    )
    fields = " | ".join(f"`{form}` | change, 95 % | unjudged removed" for form in home.topics)
    print(f"| {asked} questions | {fields} | weights | sd |")
    print("|---" * (3 * len(home.topics) + 3) + "|")
    before: dict[str, Values] = {}
    for name, choose in choices(draws, elsewhere, plainly).items():
        after, weights = cross_validated(home, by_topic, choose)
        before = before or after
        cells = []
        for form, both in after.items():
            answered = both.shape[1] / asked
            change = (both - before[form])[0] * answered
            low, high = confidence_interval(change, np.random.default_rng(0))
            of_all, among_judged = both.mean(axis=1) * answered
            cells.append(f"{of_all:.3f} | {low:+.3f} to {high:+.3f} | {among_judged:.3f}")
        mean = " ".join(f"{weight:.2f}" for weight in weights.mean(axis=0))
        spread = weights[:, :-1].std(axis=0).max()
        print(f"| {name} | {' | '.join(cells)} | {mean} | {spread:.2f} |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
