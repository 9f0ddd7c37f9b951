"""indexer.writers.articles: what is read back is tested with kb.storage.articles"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from indexer.writers.articles import write_store
from kb.schema.article import Article, Section


def articles(count: int) -> list[Article]:
    return [
        Article(
            f"a{number}", "Title", (Section("top", "", 1, "Text."), Section("x", "X", 2, "More."))
        )
        for number in range(count)
    ]


def test_the_order_in_which_articles_come_changes_no_byte(tmp_path: Path) -> None:
    written = articles(300)
    assert write_store(tmp_path / "one.sqlite", written) == (300, 600)
    random.Random(5).shuffle(written)
    assert write_store(tmp_path / "two.sqlite", iter(written)) == (300, 600)
    assert (tmp_path / "one.sqlite").read_bytes() == (tmp_path / "two.sqlite").read_bytes()


def test_nothing_is_left_beside_the_store(tmp_path: Path) -> None:
    write_store(tmp_path / "articles.sqlite", articles(3))
    assert [path.name for path in tmp_path.iterdir()] == ["articles.sqlite"]


def test_what_goes_wrong_while_reading_is_what_is_raised(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        write_store(tmp_path / "articles.sqlite", (articles(1 // number)[0] for number in (1, 0)))
