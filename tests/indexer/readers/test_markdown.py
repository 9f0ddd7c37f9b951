"""indexer.readers.markdown"""

from __future__ import annotations

import unicodedata
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers.markdown import Link, parse_markdown, read_markdown
from kb.schema.article import TOP_SECTION, Section, Source
from kb.schema.errors import ArticleError

WHOLE = """\
---
id: leg-cramps
title: "Leg Cramps: at Night"
aliases: [night cramps, charley horse]
url: https://example.org/cramps
sources:
  - title: NHS
    url: https://www.nhs.uk/cramps
  - https://example.org/s
  - A book
updated: 2026-01-31
reviewed: "2025-12-01"
language: en-GB
tags: [muscles]
related: [sleep]
---
Cramps hurt.

## Causes

Many.

### Salt

## Causes

More.
"""


def read(text: str, name: str = "a.md") -> object:
    return read_markdown(name, text.encode())


def test_every_field_of_the_front_matter_arrives() -> None:
    article = read_markdown(Path("x.md"), WHOLE.encode())
    assert article.id == "leg-cramps"
    assert article.title == "Leg Cramps: at Night"
    assert article.aliases == ("night cramps", "charley horse")
    assert article.url == "https://example.org/cramps"
    assert article.sources == (
        Source("NHS", "https://www.nhs.uk/cramps"),
        Source("https://example.org/s", "https://example.org/s"),
        Source("A book"),
    )
    assert (article.updated, article.reviewed) == ("2026-01-31", "2025-12-01")
    assert (article.language, article.tags, article.related) == ("en-GB", ("muscles",), ("sleep",))


def test_headings_start_sections_and_one_without_text_is_kept() -> None:
    assert read_markdown("x.md", WHOLE.encode()).sections == (
        Section("top", "", 1, "Cramps hurt."),
        Section("causes", "Causes", 2, "Many."),
        Section("salt", "Salt", 3, ""),
        Section("causes-2", "Causes", 2, "More."),
    )


def test_without_front_matter_title_and_id_come_from_heading_and_file() -> None:
    article = read_markdown("corpus/My Cramps.md", b"# Leg *Cramps*\n\ntext")
    assert (article.id, article.title, article.language) == ("my-cramps", "Leg Cramps", "en")
    assert article.sections == (Section(TOP_SECTION, "", 1, "text"),)


def test_the_titles_own_heading_is_no_section_and_text_around_it_is_top() -> None:
    article = read_markdown(
        "a.md", b"---\ntitle: Legs\n---\nabove\n\n# LEGS\n\nbelow\n\n# Other\n\nx"
    )
    assert [(s.id, s.level, s.text) for s in article.sections] == [
        ("top", 1, "above\n\nbelow"),
        ("other", 1, "x"),
    ]


def test_a_heading_called_top_does_not_take_the_id_of_the_text_above() -> None:
    article = read_markdown("a.md", b"# T\n\nabove\n\n## Top\n\nx")
    assert [section.id for section in article.sections] == ["top", "top-2"]
    article = read_markdown("a.md", b"# T\n\n## Top\n\nx")
    assert [section.id for section in article.sections] == ["top"]


def test_headings_in_quotes_and_lists_are_text() -> None:
    article = read_markdown("a.md", b"# T\n\n> ## Q\n\n- ## L\n\nSetext\n---\n\nx")
    assert [section.id for section in article.sections] == ["top", "setext"]


def test_an_empty_key_is_the_same_as_none() -> None:
    article = read_markdown("a.md", b"---\nid:\ntitle:\naliases:\nupdated:\n---\n# T\n\nx")
    assert (article.id, article.title, article.aliases, article.updated) == ("a", "T", (), None)


def test_windows_files_with_a_byte_order_mark_read_the_same() -> None:
    windows = b"\xef\xbb\xbf" + WHOLE.replace("\n", "\r\n").encode()
    assert read_markdown("x.md", windows) == read_markdown("x.md", WHOLE.encode())


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", ["a.md:", "no title", "# Title"]),
        ("text only", ["no title"]),
        ("# T", ["no text"]),
        ("# T\n\n<!-- nothing -->\n\n## A", ["no text"]),
        ("---\nalias: [x]\n---\n# T\n\nx", ["a.md:2:", '"alias"', 'did you mean "aliases"?']),
        ("---\nid: a\nqqqq: 1\n---\n# T\n\nx", ["a.md:3:", '"qqqq"', "the keys are id, title"]),
        ("---\n1: x\n---\n# T\n\nx", ['unknown key "1"']),
        ("---\naliases: x\n---\n# T\n\nx", ["a.md:2:", "aliases must be a list", "not text"]),
        ("---\naliases: [x, 1]\n---\n# T\n\nx", ["aliases, item 2", "a number", "quotes"]),
        ("---\ntitle: 1984\n---\nx", ["title must be text, not a number", "quotes"]),
        ("---\nlanguage: no\n---\n# T\n\nx", ["language", "true or false"]),
        ("---\nid: a b\n---\n# T\n\nx", ["a.md:2:", 'id "a b"', "white space"]),
        ("---\nid: ..\n---\n# T\n\nx", ["id"]),
        ("---\nurl: javascript:x\n---\n# T\n\nx", ["url", "javascript:x", "https://"]),
        ("---\nupdated: 2026-02-30\n---\n# T\n\nx", ["a.md:2:", "2026-02-30", "YYYY-MM-DD"]),
        ("---\nreviewed: soon\n---\n# T\n\nx", ["reviewed", "soon"]),
        ("---\nreviewed: [x]\n---\n# T\n\nx", ["reviewed must be text, not a list"]),
        ("---\nsources: {title: x}\n---\n# T\n\nx", ["sources must be a list, not a mapping"]),
        ("---\nsources:\n - {link: x}\n---\n# T\n\nx", ["sources, item 1", '"link"', "title, url"]),
        ("---\nid: x\n", ["a.md:1:", "not closed"]),
        ("---\nid: x\nid: y\n---\n# T\n\nx", ["a.md:3:", "twice"]),
    ],
)
def test_a_broken_file_is_refused_with_what_and_where(text: str, parts: list[str]) -> None:
    with pytest.raises(ArticleError) as caught:
        read(text)
    for part in parts:
        assert part in str(caught.value)


def test_of_several_mistakes_in_front_matter_the_topmost_is_named() -> None:
    text = "---\nupdated: soon\nid: a b\nalias: [x]\n---\n"
    with pytest.raises(ArticleError, match=r"^a\.md:2: updated"):
        read_markdown("a.md", text.encode())


def test_lines_and_links_are_those_of_the_file() -> None:
    text = (
        "---\ntitle: T\ntags: [x]\n---\n\n[a](one.md) and\n[b](two.md#x)\n\n## H\n\n"
        "- ![alt](é.png)\n\n| A |\n|---|\n| [c](<t d.md>) |\n\n[d][ref]\n\n[ref]: #h\n"
    )
    parsed = parse_markdown("a.md", text.encode())
    assert parsed.key_lines == {"title": 2, "tags": 3}
    assert parsed.section_lines == {"h": 9}
    assert parsed.links == (
        Link("one.md", 6),
        Link("two.md#x", 7),
        Link("%C3%A9.png", 11),
        Link("t%20d.md", 15),
        Link("#h", 17),
    )


@given(
    st.one_of(
        st.text(),
        st.text(alphabet=st.sampled_from("#-*>`|[]()!<>&;:=_~ \n\tab1.e\u0301\\\"'/")),
    )
)
def test_no_body_raises_anything_but_an_article_error(body: str) -> None:
    try:
        article = read_markdown("a.md", f"---\ntitle: T\n---\n{body}".encode())
    except ArticleError:
        return
    ids = [section.id for section in article.sections]
    assert len(set(ids)) == len(ids)
    for section in article.sections:
        assert unicodedata.is_normalized("NFC", section.text + section.heading)
        assert "\r" not in section.text
        assert section.text == "" or section.text.strip()


@given(st.binary())
def test_no_bytes_raise_anything_but_an_article_error(data: bytes) -> None:
    with suppress(ArticleError):
        read_markdown("a.md", b"# T\n\n" + data)
