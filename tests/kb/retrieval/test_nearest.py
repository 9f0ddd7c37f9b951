"""kb.retrieval.nearest: neighbours by meaning, against the definition written out and against authors' own links."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from kb import KnowledgeBase
from kb.retrieval.nearest import MIN_COSINE, nearest_articles, nearest_sections
from kb.retrieval.vectors import VectorIndex

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
    neighbours = list(nearest_articles(index, ARTICLES, 2))
    found = {each.ordinal: each.nearness for each in neighbours}
    direction = (rows[3] + rows[4] + rows[5]) / 3
    direction /= np.linalg.norm(direction)
    expected = {
        0: (rows[0] @ direction + rows[1] @ direction) / 2,
        1: rows[2] @ direction,
        4: rows[6] @ direction,
    }
    assert found == pytest.approx(
        {n: near for n, near in expected.items() if near >= MIN_COSINE}, abs=0.005
    )
    assert list(found) == sorted(found, key=lambda n: -found[n])
    for each in neighbours:
        own = np.flatnonzero(each.ordinal == ARTICLES)
        assert each.passage == max(own, key=lambda row: rows[row] @ direction)


def test_sections_come_by_their_nearest_passage_and_never_the_passages_own(
    vectors: tuple[VectorIndex, NDArray[np.float32]],
) -> None:
    index, rows = vectors
    sections = np.array([0, 0, 1, 2, 2, 3, 4], dtype=np.int64)
    allowed = np.arange(7) != 6
    expected = {}
    for row in sorted(range(6), key=lambda row: -float(rows[row] @ rows[3])):
        if sections[row] != 2 and rows[row] @ rows[3] >= MIN_COSINE:
            expected.setdefault(int(sections[row]), (row, rows[row] @ rows[3]))
    found = nearest_sections(index, sections, 3, 10, allowed)
    assert [(each.ordinal, each.passage) for each in found] == [
        (section, row) for section, (row, _) in expected.items()
    ]
    assert [each.nearness for each in found] == pytest.approx(
        [cosine for _, cosine in expected.values()], abs=1e-6
    )
    assert nearest_sections(index, sections, 3, 1, allowed) == found[:1]


def test_an_article_is_no_neighbour_of_itself_and_one_without_passages_has_none(
    vectors: tuple[VectorIndex, NDArray[np.float32]],
) -> None:
    for article in range(5):
        found = [each.ordinal for each in nearest_articles(vectors[0], ARTICLES, article)]
        assert article not in found
        assert 3 not in found
        assert len(found) <= 3
    assert list(nearest_articles(vectors[0], ARTICLES, 3)) == []


def test_what_authors_link_is_mostly_what_meaning_finds(knowledge_base: KnowledgeBase) -> None:
    found = named = 0
    for summary in knowledge_base.articles():
        article = knowledge_base.article(summary.id)
        linked = {other.id for other in knowledge_base.linked(article)}
        related = knowledge_base.related(article.id, limit=6).results
        near = [other.citation.article_id for other in related]
        assert len(set(near)) == len(near) <= 6
        assert article.id not in near
        found += len(linked.intersection(near))
        named += min(len(linked), 6)
    assert found > 0.6 * named
