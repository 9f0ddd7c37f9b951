"""indexer.passages.executor, and the steps that it is given"""

from __future__ import annotations

import pickle
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.embedding.index_encoder import IndexEncoder
from indexer.passages.executor import LocalExecutor
from indexer.passages.steps import SplitArticles, find_sentences
from indexer.passages.tokens import TokenCounter
from kb.schema.article import Article, Section
from kb.storage.generation import current_generation


@pytest.mark.parametrize("lanes", [0, 1, 3])
def test_results_come_in_the_order_of_the_batches(lanes: int) -> None:
    batches = [[n] for n in range(50)]
    assert list(LocalExecutor().map(sum, batches, lanes)) == list(range(50))


@pytest.mark.parametrize("lanes", [0, 2])
def test_batches_are_read_only_as_they_are_needed(lanes: int) -> None:
    read = []

    def batches() -> Iterator[list[int]]:
        for number in range(100):
            read.append(number)
            yield [number]

    results = LocalExecutor().map(sum, batches(), lanes)
    assert next(results) == 0
    assert len(read) <= 2 * lanes + 1


def test_a_step_without_lanes_runs_in_the_thread_of_the_caller() -> None:
    ids = LocalExecutor().map(lambda _: threading.get_ident(), [[0]])
    assert list(ids) == [threading.get_ident()]


def test_the_failure_of_a_step_reaches_the_caller() -> None:
    with pytest.raises(ZeroDivisionError):
        list(LocalExecutor().map(lambda n: 1 // n, [1, 0, 1], 2))


def test_steps_can_be_sent_to_another_process(counter: TokenCounter, index_path: Path) -> None:
    split = SplitArticles(counter)
    article = Article(
        "legs", "Legs", (Section("top", "", 1, "They jerk at night. Often.\n\nIron helps."),)
    )
    sent = pickle.loads(pickle.dumps(split))
    assert sent([article]) == split([article])
    assert pickle.loads(pickle.dumps(find_sentences)) is find_sentences
    encoder = index_path / "generations" / current_generation(index_path) / "encoder"
    embed = IndexEncoder(encoder)
    again = pickle.loads(pickle.dumps(embed))
    assert (again(["legs"]) == embed(["legs"])).all()


def test_sentences_are_found_in_each_text_and_a_text_without_one_is_one() -> None:
    assert find_sentences([("They jerk. Often.", "en"), ("...", "en")]) == [
        [(0, 10), (11, 17)],
        [(0, 3)],
    ]
