"""kb.retrieval.vectors, against brute force"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kb.retrieval.vectors import COSINE_ROUNDING, VectorIndex
from support.vectors import unit_rows

DIMENSIONS = 384
Save = Callable[[NDArray[np.float32], list[int]], VectorIndex]


@pytest.fixture
def save(tmp_path: Path, save_vectors: Any) -> Save:
    """Opens 40 passages, 90 sentences and the given names."""

    def save(names: NDArray[np.float32], name_starts: list[int]) -> VectorIndex:
        starts = [*range(0, 80, 2), 90]
        return save_vectors(
            tmp_path,
            unit_rows(40, DIMENSIONS, 1),
            names,
            name_starts,
            unit_rows(90, DIMENSIONS, 6),
            starts,
        )

    return save


def cosine(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    return sum(float(a) * float(b) for a, b in zip(left, right, strict=True))


def test_cosines_are_those_of_brute_force_but_for_rounding_where_all_are_asked_for(
    save: Save,
) -> None:
    index = save(unit_rows(9, DIMENSIONS, 3), [0, 1, 4, 9])
    for question in unit_rows(5, DIMENSIONS, 4):
        expected = [cosine(row, question) for row in unit_rows(40, DIMENSIONS, 1)]
        assert index.all_cosines(question) == pytest.approx(expected, abs=COSINE_ROUNDING)
        rows = np.array([39, 0, 7])
        some = index.passage_cosines(question, rows)
        assert some == pytest.approx([expected[row] for row in rows], abs=1e-6)


def test_the_best_name_of_each_article_is_that_of_brute_force(save: Save) -> None:
    names, starts = unit_rows(9, DIMENSIONS, 3), [0, 1, 4, 9]
    index = save(names, starts)
    for question in unit_rows(20, DIMENSIONS, 5):
        for articles in ([0, 1, 2], [2], [2, 0], [1, 1]):
            best, which = index.best_names(question, np.array(articles))
            for article, value, place in zip(articles, best, which, strict=True):
                own = [
                    cosine(row, question) for row in names[starts[article] : starts[article + 1]]
                ]
                assert value == pytest.approx(max(own), abs=COSINE_ROUNDING)
                assert own[place] == pytest.approx(max(own), abs=2 * COSINE_ROUNDING)


def test_ties_of_names_go_to_the_title_and_then_to_the_earlier_alias(save: Save) -> None:
    axes = np.eye(DIMENSIONS, dtype=np.float32)
    index = save(axes[[0, 0, 0, 1, 0, 0]], [0, 3, 6])
    best, which = index.best_names(axes[0], np.array([0, 1]))
    assert best == pytest.approx([1.0, 1.0])
    assert which.tolist() == [0, 1]


def test_the_best_sentence_of_each_passage_is_that_of_brute_force_but_for_rounding(
    save: Save,
) -> None:
    index = save(unit_rows(2, DIMENSIONS, 3), [0, 2])
    sentences, starts = unit_rows(90, DIMENSIONS, 6), [*range(0, 80, 2), 90]
    for question in unit_rows(10, DIMENSIONS, 7):
        passages = [0, 39, 5, 38]
        best, which = index.best_sentences(question, np.array(passages))
        for passage, value, place in zip(passages, best, which, strict=True):
            own = [
                cosine(row, question) for row in sentences[starts[passage] : starts[passage + 1]]
            ]
            assert value == pytest.approx(max(own), abs=COSINE_ROUNDING)
            assert own[place] == pytest.approx(max(own), abs=2 * COSINE_ROUNDING)


def test_no_articles_have_no_names(save: Save) -> None:
    best, which = save(unit_rows(2, DIMENSIONS, 3), [0, 2]).best_names(
        unit_rows(1, DIMENSIONS, 4)[0], np.array([], int)
    )
    assert len(best) == len(which) == 0
