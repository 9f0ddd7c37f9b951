"""kb.ranking.article_pooling"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.ranking.article_pooling import POOLED_SHARE, boosts

candidates = st.lists(st.tuples(st.integers(-20, 100), st.integers(0, 5)), max_size=30)
"""Scores in hundredths, each with its article."""

near = st.lists(st.integers(0, 20).map(lambda part: part / 20), min_size=6, max_size=6)
"""How near each article's name is."""


def pooled(rows: list[tuple[int, int]], nearness: list[float]) -> list[float]:
    scores = np.array([score for score, _ in rows], dtype=np.float64) / 100
    articles = np.array([article for _, article in rows], dtype=np.int64)
    return (scores + boosts(scores, articles, np.array(nearness)[articles])).tolist()


def test_a_section_is_drawn_towards_its_article_s_best_as_far_as_the_name_is_near() -> None:
    rows = [(80, 0), (40, 0), (70, 1), (20, 1), (30, 2)]
    expected = [
        0.8,
        0.4 + POOLED_SHARE * 0.5 * (0.8 - 0.4),
        0.7,
        0.2 + POOLED_SHARE * 1 * (0.7 - 0.2),
        0.3,
    ]
    assert pooled(rows, [0.5, 1, 0, 0, 0, 0]) == pytest.approx(expected)


@given(candidates, near)
def test_the_best_of_each_article_stays_and_its_sections_keep_their_order(
    rows: list[tuple[int, int]], nearness: list[float]
) -> None:
    after = pooled(rows, nearness)
    for article in range(6):
        own = [place for place, (_, owner) in enumerate(rows) if owner == article]
        before = [rows[place][0] / 100 for place in own]
        drawn = [after[place] for place in own]
        assert max(drawn, default=0) == max(before, default=0)
        assert all(now >= then for now, then in zip(drawn, before, strict=True))
        for one, first in zip(drawn, before, strict=True):
            for other, second in zip(drawn, before, strict=True):
                assert (one < other) == (first < second)


@given(candidates)
def test_where_no_name_is_near_nothing_changes(rows: list[tuple[int, int]]) -> None:
    assert pooled(rows, [0.0] * 6) == [score / 100 for score, _ in rows]


@given(candidates, near, st.integers(0, 2**32 - 1))
def test_many_ways_to_score_are_pooled_as_each_alone(
    rows: list[tuple[int, int]], nearness: list[float], seed: int
) -> None:
    scores = np.random.default_rng(seed).random((len(rows), 3))
    articles = np.array([article for _, article in rows], dtype=np.int64)
    by_name = np.array(nearness)[articles]
    alone = [boosts(column, articles, by_name) for column in scores.T]
    assert (boosts(scores, articles, by_name) == np.stack(alone, axis=1)).all()
