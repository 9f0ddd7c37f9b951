"""kb.ranking.subjects"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.ranking.subjects import LIFT, MOST, lifts

candidates = st.lists(st.tuples(st.integers(0, 100), st.integers(0, 20)), min_size=1, max_size=30)


def level(rows: list[tuple[int, int]], subjects: list[list[int]]) -> list[float]:
    """The scores of (score in hundredths, article) with their lifts."""
    hundredths, articles = zip(*rows, strict=True)
    scores = np.array(hundredths) / 100
    given = [np.array(subject, dtype=np.int64) for subject in subjects]
    return (scores + lifts(scores, np.array(articles, dtype=np.int64), given)).tolist()


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
def test_many_ways_to_score_are_lifted_as_each_alone(
    owners: list[int], seed: int, sets: list[set[int]]
) -> None:
    scores = np.random.default_rng(seed).random((len(owners), 3))
    articles = np.array(owners, dtype=np.int64)
    subjects = [np.array(sorted(found), dtype=np.int64) for found in sets]
    alone = [lifts(column, articles, subjects) for column in scores.T]
    assert (lifts(scores, articles, subjects) == np.stack(alone, axis=1)).all()


def test_the_others_are_lifted_halfway_to_the_best_of_all() -> None:
    rows = [(80, 0), (60, 0), (40, 1), (30, 1), (50, 2)]
    assert level(rows, [[0], [1]]) == pytest.approx([0.8, 0.6, 0.4 + LIFT * 0.4, 0.5, 0.5])


@pytest.mark.parametrize("subjects", [[], [[0]], [[0], [7]], [[n] for n in range(MOST + 1)]])
def test_with_one_subject_or_a_whole_story_of_them_the_scores_stay(
    subjects: list[list[int]],
) -> None:
    rows = [(80, 0), (60, 1), (40, 2), (20, 3)]
    assert level(rows, subjects) == [0.8, 0.6, 0.4, 0.2]
