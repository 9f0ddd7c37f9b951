"""kb.vectors, against brute force"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from kb.vectors import VectorIndex

DIMENSIONS = 16


def unit(rows: int, seed: int) -> NDArray[np.float32]:
    values = np.random.default_rng(seed).normal(size=(rows, DIMENSIONS))
    return (values / np.linalg.norm(values, axis=1, keepdims=True)).astype(np.float32)


def save(folder: Path, names: NDArray[np.float32], name_starts: list[int]) -> VectorIndex:
    folder.mkdir(exist_ok=True)
    for name, array in {
        "passages": unit(40, 1),
        "names": names,
        "name_starts": np.array(name_starts, dtype=np.int64),
        "sentences": np.rint(unit(90, 6) * 127).astype(np.int8),
        "sentence_scales": np.full(90, 1 / 127, dtype=np.float32),
        "sentence_starts": np.array([*range(0, 80, 2), 90], dtype=np.int64),
    }.items():
        np.save(folder / f"{name}.npy", array)
    return VectorIndex(folder)


def cosine(left: NDArray[np.float32], right: NDArray[np.float32]) -> float:
    return sum(float(a) * float(b) for a, b in zip(left, right, strict=True))


def test_cosines_are_those_of_brute_force(tmp_path: Path) -> None:
    index = save(tmp_path, unit(9, 3), [0, 1, 4, 9])
    for question in unit(5, 4):
        assert index.passage_cosines(question) == pytest.approx(
            [cosine(row, question) for row in unit(40, 1)], abs=1e-6
        )


def test_the_best_name_of_each_article_is_that_of_brute_force(tmp_path: Path) -> None:
    names, starts = unit(9, 3), [0, 1, 4, 9]
    index = save(tmp_path, names, starts)
    for question in unit(20, 5):
        for articles in ([0, 1, 2], [2], [2, 0], [1, 1]):
            best, which = index.best_names(question, np.array(articles))
            for article, value, place in zip(articles, best, which, strict=True):
                own = [
                    cosine(row, question) for row in names[starts[article] : starts[article + 1]]
                ]
                assert value == pytest.approx(max(own), abs=1e-6)
                assert place == own.index(max(own))


def test_ties_of_names_go_to_the_title_and_then_to_the_earlier_alias(tmp_path: Path) -> None:
    axes = np.eye(DIMENSIONS, dtype=np.float32)
    index = save(tmp_path, axes[[0, 0, 0, 1, 0, 0]], [0, 3, 6])
    best, which = index.best_names(axes[0], np.array([0, 1]))
    assert best.tolist() == [1.0, 1.0]
    assert which.tolist() == [0, 1]


def test_the_best_sentence_of_each_passage_is_that_of_brute_force_but_for_rounding(
    tmp_path: Path,
) -> None:
    index = save(tmp_path, unit(2, 3), [0, 2])
    sentences, starts = unit(90, 6), [*range(0, 80, 2), 90]
    for question in unit(10, 7):
        passages = [0, 39, 5, 38]
        best, which = index.best_sentences(question, np.array(passages))
        for passage, value, place in zip(passages, best, which, strict=True):
            own = [
                cosine(row, question) for row in sentences[starts[passage] : starts[passage + 1]]
            ]
            assert value == pytest.approx(max(own), abs=0.01)
            assert own[place] == pytest.approx(max(own), abs=0.02)


def test_no_articles_have_no_names(tmp_path: Path) -> None:
    best, which = save(tmp_path, unit(2, 3), [0, 2]).best_names(unit(1, 4)[0], np.array([], int))
    assert len(best) == len(which) == 0
