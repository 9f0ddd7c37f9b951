"""indexer.readers.html_text"""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers.html_text import html_text, tag_name


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<p>One <b>bold</b> word</p><p>Two</p>", "One bold word\nTwo"),
        ("<div>\n  a\n\n  b\n</div>", "a\nb"),
        ("a<br>b", "a\nb"),
        ("<tr><td>a</td><td>b</td></tr>", "a b"),
        ("<!-- no <b>x</b> -->yes", "yes"),
        ("<!-- never closed", ""),
        ("<SCRIPT src='x'>if (a < b) {}</SCRIPT >yes", "yes"),
        ("<style>p > a {}</style>", ""),
        ("<script>never closed", ""),
        ('<img alt="A &amp; B" src=x>', "A & B"),
        ("<img src=x>", ""),
        ("fish &amp; chips &lt;b&gt;", "fish & chips <b>"),
        ('<a title="a > b">link</a>', "link"),
        ("<?php echo ?><!DOCTYPE html>a", "a"),
        ("<![CDATA[a]]>", "a"),
        ("<![if x]>a", "<![if x]>a"),
        ("1 < 2 and 3 > 2", "1 < 2 and 3 > 2"),
        ("press <Enter> or <any key>", "press <Enter> or <any key>"),
        ("<my-part>a</my-part> <own x=1>b</own>", "a\nb"),
        ("</Enter>", ""),
        ("", ""),
    ],
)
def test_the_visible_text_is_left(html: str, expected: str) -> None:
    assert html_text(html) == expected


def test_a_tags_name_tells_whether_it_closes() -> None:
    assert [tag_name(tag) for tag in ("<BR/>", "</script>", "<!-- -->", "<b", "x")] == [
        "br",
        "/script",
        "",
        "",
        "",
    ]


@pytest.mark.parametrize("start", ["", "<", "</", "<a ", '<a "', "<!", "<script"])
@pytest.mark.parametrize(
    "piece", ["a", "<a ", "<!--", "<a \"'", "<script>", "<![CDATA[", "<?", "&"]
)
def test_broken_html_takes_no_more_time_than_its_length(start: str, piece: str) -> None:
    started = time.perf_counter()
    html_text(start + piece * 50_000)
    assert time.perf_counter() - started < 5


@given(st.text(alphabet=st.sampled_from("<>/!-[]CDATA?&;\"'= abpscriptl\n")))
def test_no_html_raises(html: str) -> None:
    assert "\n\n" not in html_text(html)
