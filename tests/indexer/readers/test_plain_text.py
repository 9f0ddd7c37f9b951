"""indexer.readers.plain_text"""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers.plain_text import read_plain_text
from kb.schema.article import Section
from kb.schema.errors import ArticleError

KNEE = Path(__file__).parents[4] / "shared" / "data" / "knee-twitching-article.txt"


@pytest.mark.skipif(not KNEE.exists(), reason=f"{KNEE} is absent: the shared data is not here")
def test_the_article_that_it_all_started_from_reads_as_people_read_it() -> None:
    article = read_plain_text(KNEE, KNEE.read_bytes())
    assert article.id == "knee-twitching-article"
    assert article.title == "Why Is My Knee Twitching When Lying Down?"
    assert [(section.id, section.heading, section.level) for section in article.sections] == [
        ("top", "", 1),
        ("common-benign-causes", "Common Benign Causes", 2),
        ("potential-underlying-conditions", "Potential Underlying Conditions", 2),
        ("when-to-seek-medical-advice", "When to Seek Medical Advice", 2),
        ("practical-relief-strategies", "Practical Relief Strategies", 2),
    ]
    assert article.sections[0].text.startswith("Knee twitching, involuntary")
    assert [section.text.count("\n\n") for section in article.sections] == [0, 2, 2, 1, 2]
    assert article.related == (
        "Where to Find and Palpate the Apical Pulse",
        "Is It Normal for New Dentures to Hurt?",
        "The Reelin Protein: Its Function in Brain Development",
    )


LONG = "This paragraph is here to be read, and it ends in a full stop."


@pytest.mark.parametrize(
    ("text", "sections", "related"),
    [
        (f"T\n\n{LONG}", [("top", "", LONG)], ()),
        (f"T\n{LONG}\nmore", [("top", "", f"{LONG}\nmore")], ()),
        (f"T\n\nHead\n\n{LONG}", [("head", "Head", LONG)], ()),
        (f"T\n=====\n\nHead\n----\n\n{LONG}", [("head", "Head", LONG)], ()),
        (f"T\n\nA\n\nB\n\n{LONG}", [("a", "A", ""), ("b", "B", LONG)], ()),
        (f"T\n\nA\n\n{LONG}\n\nA\n\n{LONG}", [("a", "A", LONG), ("a-2", "A", LONG)], ()),
        (f"T\n\n{LONG}\n\nTop\n\n{LONG}", [("top", "", LONG), ("top-2", "Top", LONG)], ()),
        (f"T\n\n{LONG}\n\nOne\n\nTwo\n", [("top", "", LONG)], ("One", "Two")),
        ("T\n\nA short line", [("top", "", "A short line")], ()),
        ("T\n\nBuy milk\n\nCall Bob", [("top", "", "Buy milk\n\nCall Bob")], ()),
        (f"T\n\n{'x' * 81}\n\n{LONG}", [("top", "", f"{'x' * 81}\n\n{LONG}")], ()),
        (f"T\n\n- item\n\n{LONG}", [("top", "", f"- item\n\n{LONG}")], ()),
        (f"T\n\nHe said “yes.”\n\n{LONG}", [("top", "", f"He said “yes.”\n\n{LONG}")], ()),
        (f"T\n\nFor example:\n\n{LONG}", [("top", "", f"For example:\n\n{LONG}")], ()),
        (f"T\n\n  Head  two \n\n  {LONG}  ", [("head-two", "Head two", f"  {LONG}")], ()),
    ],
)
def test_lines_that_stand_alone_above_text_are_headings(
    text: str, sections: list[tuple[str, str, str]], related: tuple[str, ...]
) -> None:
    article = read_plain_text("a.txt", text.encode())
    assert article.title == "T"
    assert [(s.id, s.heading, s.text) for s in article.sections] == sections
    assert article.related == related


def test_the_id_is_the_files_stem() -> None:
    assert read_plain_text("x/Knee Pain.txt", b"T\n\ntext.").id == "knee-pain"


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (b"", ["a.txt: is empty", "title"]),
        (b"\n \n====\n", ["is empty"]),
        (b"Only a title\n\n", ["a.txt:1:", "no text"]),
        (b"T\n\n\xff", ["a.txt:3:", "UTF-8"]),
        (b"T\0", ["NUL"]),
    ],
)
def test_a_file_without_title_and_text_is_refused(data: bytes, parts: list[str]) -> None:
    with pytest.raises(ArticleError) as caught:
        read_plain_text("a.txt", data)
    for part in parts:
        assert part in str(caught.value)


@given(st.one_of(st.text(), st.text(alphabet=st.sampled_from("aB1 \n.:-=\r\x0c\u2028e\u0301"))))
def test_no_text_raises_anything_but_an_article_error(text: str) -> None:
    try:
        article = read_plain_text("a.txt", text.encode())
    except ArticleError:
        return
    assert article.title
    assert any(section.text.strip() for section in article.sections)
    ids = [section.id for section in article.sections]
    assert len(set(ids)) == len(ids)
    for section in article.sections:
        assert isinstance(section, Section)
        assert unicodedata.is_normalized("NFC", section.text + section.heading)
