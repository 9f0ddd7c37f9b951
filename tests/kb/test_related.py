"""kb.related: neighbours by meaning, against the definition written out and against authors' own links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kb import KnowledgeBase
from kb.related import NEAR, nearest_articles
from kb.vectors import VectorIndex

ARTICLES = np.array([0, 0, 1, 2, 2, 2, 4], dtype=np.int64)


@pytest.fixture
def vectors(tmp_path: Path, save_vectors: Any) -> tuple[VectorIndex, NDArray[np.float32]]:
    random = np.random.default_rng(7)
    rows = random.normal(size=(7, 5)).astype(np.float32) + 1
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    empty = np.zeros((0, 5), dtype=np.float32)
    return save_vectors(tmp_path, rows, empty, [0], empty, [0]), rows


def test_nearness_is_the_mean_cosine_with_the_articles_own_direction(
    vectors: tuple[VectorIndex, NDArray[np.float32]],
) -> None:
    index, rows = vectors
    found = dict(nearest_articles(index, ARTICLES, 2, 10))
    direction = (rows[3] + rows[4] + rows[5]) / 3
    direction /= np.linalg.norm(direction)
    expected = {
        0: (rows[0] @ direction + rows[1] @ direction) / 2,
        1: rows[2] @ direction,
        4: rows[6] @ direction,
    }
    assert found == pytest.approx(
        {n: near for n, near in expected.items() if near >= NEAR}, abs=0.005
    )
    assert list(found) == sorted(found, key=lambda n: -found[n])


def test_an_article_is_no_neighbour_of_itself_and_one_without_passages_has_none(
    vectors: tuple[VectorIndex, NDArray[np.float32]],
) -> None:
    for article in range(5):
        found = [n for n, _ in nearest_articles(vectors[0], ARTICLES, article, 3)]
        assert article not in found
        assert 3 not in found
        assert len(found) <= 3
    assert nearest_articles(vectors[0], ARTICLES, 3, 3) == []


def test_what_authors_link_is_mostly_what_meaning_finds(knowledge_base: KnowledgeBase) -> None:
    found = named = 0
    for summary in knowledge_base.articles():
        article = knowledge_base.article(summary.id)
        linked = {other.id for other in knowledge_base.related(article)}
        near = [other.id for other in knowledge_base.similar(article, 6)]
        assert len(set(near)) == len(near) <= 6
        assert article.id not in near
        found += len(linked.intersection(near))
        named += min(len(linked), 6)
    assert found > 0.6 * named
