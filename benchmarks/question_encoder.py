"""Given an index and judged questions, what encoding questions with 8-bit weights gains and costs.

    python benchmarks/question_encoder.py --index DIR --topics TOPICS.jsonl --qrels QRELS.txt [--field text]

Prints, against encoding them in float32 as passages are: how many of the first ten results are the same, nDCG@10 with
the 95 % interval of its change (paired bootstrap over questions, fixed seed), and the time that a question takes, one
at a time with one thread and with one for each core, and how many are done in a second when there are as many askers
as cores. The forms take turns, question by question.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles

import numpy as np
from numpy.typing import NDArray

from kb import KnowledgeBase
from kb.evaluation.fitting import confidence_interval
from kb.evaluation.measures import Evaluation, Scored, evaluate, read_qrels, read_topics, run_topics
from kb.retrieval.encoder import FOR_PASSAGES, FOR_QUESTIONS, Encoder, Tokens, open_session

MEASURE = "nDCG@10"
CORES = len(os.sched_getaffinity(0))

Encode = Callable[[str], NDArray[np.float32]]


def first_ten(run: list[Scored]) -> dict[str, set[str]]:
    """The ids of the first ten results of each topic."""
    found: dict[str, set[str]] = {}
    for scored in run:
        ids = found.setdefault(scored.topic, set())
        if len(ids) < 10:
            ids.add(scored.unit)
    return found


def encoder_of(folder: Path, model: str, threads: int) -> Encode:
    """Encodes a question with so many threads, whatever the service uses."""
    session = open_session(folder / model, threads)
    inputs = {given.name for given in session.get_inputs()}
    tokens = Tokens(folder)

    def encode(text: str) -> NDArray[np.float32]:
        feed = tokens.batch([text])
        wanted = {name: value for name, value in feed.items() if name in inputs}
        return np.asarray(session.run(None, wanted)[0][0])

    return encode


def times(folder: Path, texts: list[str]) -> None:
    """Print the times of each form."""
    forms = {
        (model, threads): encoder_of(folder, model, threads)
        for model in (FOR_PASSAGES, FOR_QUESTIONS)
        for threads in dict.fromkeys((1, CORES))
    }
    taken: dict[tuple[str, int], list[float]] = {form: [] for form in forms}
    for text in texts:
        for form, encode in forms.items():
            encode(text)
            begun = time.perf_counter()
            encode(text)
            taken[form].append(1000 * (time.perf_counter() - begun))
    print("\n| | threads | p50 | p95 | questions/s, one asker a core |\n|---|---|---|---|---|")
    for (model, threads), encode in forms.items():
        with ThreadPoolExecutor(CORES) as askers:
            begun = time.perf_counter()
            list(askers.map(encode, texts))
            rate = len(texts) / (time.perf_counter() - begun)
        cuts = quantiles(taken[model, threads], n=100)
        print(f"| {model} | {threads} | {cuts[49]:.1f} ms | {cuts[94]:.1f} ms | {rate:.0f} |")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--index", type=Path, required=True)
    parser.add_argument("--topics", type=Path, required=True)
    parser.add_argument("--qrels", type=Path, required=True)
    parser.add_argument("--field", default="text")
    options = parser.parse_args()
    topics, judgments = read_topics(options.topics, options.field), read_qrels(options.qrels)
    with KnowledgeBase.open(options.index) as asked:
        folder = options.index / "generations" / asked.generation / "encoder"
        results: dict[str, tuple[Evaluation, dict[str, set[str]]]] = {}
        for model in (FOR_PASSAGES, FOR_QUESTIONS):
            asked.engine.ranker._encoder = Encoder(folder, model)
            run = list(run_topics(asked, topics, "section", 100))
            results[model] = evaluate(run, judgments), first_ten(run)
    (whole, ten), (rounded, other) = results[FOR_PASSAGES], results[FOR_QUESTIONS]
    same = np.mean([len(ten[topic] & other[topic]) / max(1, len(ten[topic])) for topic in ten])
    low, high = confidence_interval(rounded.gains_over(whole, MEASURE), np.random.default_rng(0))
    print(
        f"{whole.topics} questions: {same:.3f} of the first ten are the same; {MEASURE} {whole.means[MEASURE]:.4f} "
        f"in float32, {rounded.means[MEASURE]:.4f} with 8 bits ({low:+.4f} to {high:+.4f})"
    )
    times(folder, [topic.text for topic in topics][:500])
    return 0


if __name__ == "__main__":
    sys.exit(main())
