"""kb.storage.articles and indexer.writers.articles: what goes in comes out, word for word"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from indexer.writers.articles import write_store
from kb.schema.article import Article, Section, Source
from kb.storage.articles import ArticleStore
from support.examples import at_most

plain = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
sections = st.lists(
    st.builds(Section, plain.filter(bool), plain, st.integers(1, 6), plain),
    min_size=1,
    max_size=4,
    unique_by=lambda section: section.id,
).map(tuple)
articles = st.lists(
    st.builds(
        Article,
        id=plain.filter(bool),
        title=plain,
        sections=sections,
        aliases=st.lists(plain, max_size=3).map(tuple),
        url=plain,
        sources=st.lists(st.builds(Source, plain, plain), max_size=2).map(tuple),
        updated=st.none() | st.just("2026-01-31"),
        reviewed=st.none() | st.just("2026-02-01"),
        language=st.just("en"),
        tags=st.lists(plain, max_size=2).map(tuple),
        related=st.lists(plain, max_size=2).map(tuple),
        section_ids_given=st.booleans(),
    ),
    min_size=1,
    max_size=5,
    unique_by=lambda article: article.id,
)


@settings(max_examples=at_most(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(written=articles)
def test_every_article_comes_out_as_it_went_in_and_ordinals_follow_ids(
    written: list[Article], tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("store") / "articles.sqlite"
    assert write_store(path, written) == (len(written), sum(len(a.sections) for a in written))
    assert [file.name for file in path.parent.iterdir()] == ["articles.sqlite"]
    store = ArticleStore(path)
    try:
        assert store.counts() == (len(written), sum(len(a.sections) for a in written))
        ordinal = 0
        for place, article in enumerate(sorted(written, key=lambda each: each.id)):
            assert store.article_by_id(article.id) == article
            head = store.article_head(place)
            assert (head.id, head.title, head.aliases) == (
                article.id,
                article.title,
                article.aliases,
            )
            assert head.sections == ()
            for section in article.sections:
                assert store.section(ordinal) == section
                ordinal += 1
    finally:
        store.close()


@pytest.fixture
def store(tmp_path: Path) -> ArticleStore:
    body = (Section("top", "", 1, "Text."),)
    written = [
        Article("c", "beta", body),
        Article("b", "Alpha", body),
        Article("d", "alpha", body),
        Article("Alpha", "Zeta", body),
    ]
    write_store(tmp_path / "articles.sqlite", written)
    return ArticleStore(tmp_path / "articles.sqlite")


def test_summaries_are_by_title_without_case_and_then_by_id(store: ArticleStore) -> None:
    assert [summary.id for summary in store.summaries(10, 0)] == ["b", "d", "c", "Alpha"]
    assert [summary.id for summary in store.summaries(2, 1)] == ["d", "c"]
    assert store.summaries(10, 4) == []
    store.close()


def test_a_name_is_an_id_before_it_is_a_title(store: ArticleStore) -> None:
    found = {
        name: store.find_summary(name) for name in ("Alpha", "ALPHA", "beta", "nothing", "\udcff")
    }
    assert {name: summary and summary.id for name, summary in found.items()} == {
        "Alpha": "Alpha",
        "ALPHA": "b",
        "beta": "c",
        "nothing": None,
        "\udcff": None,
    }
    store.close()


def test_an_unknown_article_is_none(store: ArticleStore) -> None:
    for name in ("", "nothing", "' OR 1=1 --", "\udcff", "\0"):
        assert store.article_by_id(name) is None
    store.close()
