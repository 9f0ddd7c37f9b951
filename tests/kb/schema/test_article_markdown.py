"""kb.schema.article_markdown: what the indexer reads from it is the article"""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from indexer.readers.markdown import read_markdown
from kb.knowledge_base import KnowledgeBase
from kb.schema.article import Article, Section, Source
from kb.schema.article_markdown import article_markdown
from support.examples import at_most


def again(article: Article) -> Article:
    return read_markdown("another-name.md", article_markdown(article).encode())


def test_every_article_of_the_corpus_is_read_back_to_the_letter(
    knowledge_base: KnowledgeBase,
) -> None:
    articles = [knowledge_base.article(summary.id) for summary in knowledge_base.articles(1000)]
    assert len(articles) > 20
    assert [again(article) for article in articles] == articles


PLAIN = Article("an-id", "A title", (Section("top", "", 1, "Text."),))


@pytest.mark.parametrize(
    "text",
    [
        "- a\n- b\n  - c\n- d",
        "- one\n\n- another list",
        "3. c\n4. d",
        "1. a\n3. not in order",
        "a | b\nc | d",
        "# no heading",
        "    no code",
        "*no* _emphasis_ `no code` [no](link) ![no](image) <b>no tag</b> &amp; &copy;",
        "no rule\n---\nno rule\n===",
        "> no quote",
        "1) no list",
        "+ no list",
        "```\nno fence",
        "~~~",
        "a\nb  \nc",
        "a\\\nb",
        "| a | b |\n| --- | --- |",
        "<!-- seen -->",
        "http://example.org and a@b.example",
        "\u00a0leading no-break space",
    ],
)
def test_what_looks_like_markup_stays_text(text: str) -> None:
    article = replace(PLAIN, sections=(Section("top", "", 1, text), Section("h", "H", 2, "Text.")))
    assert again(article) == article


def test_whatever_the_front_matter_holds_is_read_back() -> None:
    article = replace(
        PLAIN,
        title="Yes: \"no\" #1 \\ 100% & [x] {y} 'z' \u2028 🙂",
        aliases=("- a", "null", "1.5", "a: b", "true", "2026-01-31"),
        url="https://example.org/?a=b#c",
        sources=(Source("A, {b}: c", "https://example.org/"), Source("No address")),
        updated="2026-01-31",
        reviewed="2026-02-14",
        language="de",
        tags=("sleep", "on"),
        related=("x/y", "Z z"),
    )
    found = again(article)
    assert found == replace(article, title=found.title)
    assert found.title.split() == article.title.split()


_LINES = st.lists(
    st.text("ab1 .-+*_#>|`~[](){}<&\\!:=é\u3000", min_size=1, max_size=12)
    .map(str.strip)
    .filter(bool),
    min_size=1,
    max_size=4,
).map("\n".join)


@settings(max_examples=at_most(150))
@given(st.lists(_LINES, min_size=1, max_size=4).map("\n\n".join))
def test_any_text_is_read_back(text: str) -> None:
    article = replace(PLAIN, sections=(Section("top", "", 1, text),))
    assert again(article) == article


_NAMES = st.text("aB\n #*\u2028", max_size=6)


@given(
    _NAMES,
    st.lists(st.tuples(_NAMES, st.integers(1, 6), _LINES), min_size=1, max_size=4),
)
def test_what_no_markdown_file_can_hold_is_written_as_the_nearest_that_it_can(
    title: str, sections: list[tuple[str, int, str]]
) -> None:
    given_sections = tuple(
        Section(f"s{number}", *section) for number, section in enumerate(sections)
    )
    article = Article("an-id", title, given_sections, section_ids_given=True)
    found = again(article)
    assert found.title == (" ".join(title.split()) or "an-id")
    expected: list[tuple[str, str]] = []
    for heading, _, text in sections:
        name = " ".join(heading.split())
        if name or not expected:
            expected.append((name, text))
        else:
            expected[-1] = (expected[-1][0], f"{expected[-1][1]}\n\n{text}")
    assert [(section.heading, section.text) for section in found.sections] == expected
    assert again(found) == found
