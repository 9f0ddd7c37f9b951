"""kb.ranking.subjects"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kb.ranking.subjects import MAX_SUBJECTS, SUBJECT_BOOST, boosts

candidates = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 20)), min_size=1, max_size=30)


def level(rows: list[tuple[int, int]], subjects: list[list[int]]) -> list[float]:
    """The scores of (score in hundredths, article) with their boosts."""
    hundredths, articles = zip(*rows, strict=True)
    scores = np.array(hundredths) / 100
    return (scores + boosts(scores, members(list(articles), subjects))).tolist()


def members(articles: list[int], subjects: Iterable[Iterable[int]]) -> NDArray[np.bool_]:
    """For each subject, given as its articles, which candidates are of one of these."""
    own = [np.isin(articles, list(subject)) for subject in subjects]
    return np.stack(own) if own else np.zeros((0, len(articles)), dtype=np.bool_)


@given(candidates, st.lists(st.sets(st.integers(0, 3), min_size=1), max_size=5))
def test_the_best_subject_stays_first_and_within_a_subject_nothing_changes(
    rows: list[tuple[int, int]], sets: list[set[int]]
) -> None:
    subjects = [[5 * article + n for article in found] for n, found in enumerate(sets)]
    lifted = level(rows, subjects)
    for subject in subjects:
        shifts = {
            round(after - score / 100, 9)
            for after, (score, article) in zip(lifted, rows, strict=True)
            if article in subject
        }
        assert len(shifts) <= 1
        assert all(shift >= 0 for shift in shifts)
    assert max(lifted) == max(score for score, _ in rows) / 100


@given(
    st.lists(st.integers(0, 4), min_size=1, max_size=20),
    st.integers(0, 2**32 - 1),
    st.lists(st.sets(st.integers(0, 4), min_size=1), max_size=4),
)
def test_many_ways_to_score_are_boosted_as_each_alone(
    owners: list[int], seed: int, sets: list[set[int]]
) -> None:
    scores = np.random.default_rng(seed).random((len(owners), 3))
    subjects = members(owners, sets)
    alone = [boosts(column, subjects) for column in scores.T]
    assert (boosts(scores, subjects) == np.stack(alone, axis=1)).all()


def test_the_others_are_raised_halfway_to_the_best_of_all() -> None:
    rows = [(80, 0), (60, 0), (40, 1), (30, 1), (50, 2)]
    assert level(rows, [[0], [1]]) == pytest.approx([0.8, 0.6, 0.4 + SUBJECT_BOOST * 0.4, 0.5, 0.5])


@pytest.mark.parametrize(
    "subjects", [[], [[0]], [[0], [7]], [[n] for n in range(MAX_SUBJECTS + 1)]]
)
def test_with_one_subject_or_a_whole_story_of_them_the_scores_stay(
    subjects: list[list[int]],
) -> None:
    rows = [(80, 0), (60, 1), (40, 2), (20, 3)]
    assert level(rows, subjects) == [0.8, 0.6, 0.4, 0.2]
