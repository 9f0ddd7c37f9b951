"""indexer.readers.markdown_text, by way of whole articles"""

from __future__ import annotations

import pytest

from indexer.readers.markdown import read_markdown


def text_of(body: str) -> str:
    article = read_markdown("a.md", f"# T\n\n{body}".encode())
    assert [section.id for section in article.sections] == ["top"]
    return article.sections[0].text


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("one\ntwo", "one two"),
        ("one  \ntwo\\\nthree", "one\ntwo\nthree"),
        ("one\n\n\n\ntwo", "one\n\ntwo"),
        ("**b** _i_ `co de` [link](x.md) <https://a.org>", "b i co de link https://a.org"),
        ("![A **leg**](leg.png) here", "A leg here"),
        ("a <b>bold</b> <!-- note -->word", "a bold word"),
        ("a<br>b", "a\nb"),
        (
            "press <Enter> and type <file>, <b>then</b> wait",
            "press <Enter> and type <file>, then wait",
        ),
        ("<Enter>", "<Enter>"),
        ("x <script>alert(1)</script> y", "x  y"),
        ("AT&amp;T &copy; 1 &lt; 2", "AT&T © 1 < 2"),
        ("e&#x301;", "é"),
        ("<!-- a\n\nb -->\n\nyes", "yes"),
        ("<div>\n<p>in</p> a box\n</div>\n\nyes", "in\na box\n\nyes"),
        ("yes\n\n<script>\n\nalert(1)\n\n</script>", "yes"),
        ("a\n\n***\n\nb", "a\n\nb"),
        ("> quoted\n> text\n>\n> more\n\nafter", "quoted text\n\nmore\n\nafter"),
        ("> ## In a quote", "In a quote"),
        ("```py\na = 1\n\n  b\n```", "a = 1\n\n  b"),
        ("    indented\n      more", "indented\n  more"),
        ("```\n\n```\n\na", "a"),
        ("- a\n- b", "- a\n- b"),
        ("- a\n\n- b", "- a\n- b"),
        ("3. a\n3. b", "3. a\n4. b"),
        ("0) a", "0. a"),
        ("- a\n  - b\n    1. c\n- d", "- a\n  - b\n    1. c\n- d"),
        ("- a\n  wrapped\n\n  second\n\n  > third\n- b", "- a wrapped\n  second\n  third\n- b"),
        ("- ```\n  x\n\n  y\n  ```", "- x\n\n  y"),
        ("- # Not a section", "- Not a section"),
        ("- a\n-\n- c", "- a\n- c"),
        ("- - a", "- - a"),
        ("intro\n- a\n\nafter", "intro\n\n- a\n\nafter"),
        (
            "| A | B |\n| --- | :-: |\n| 1 | *two* |\n| | x \\| y |",
            "A | B\n1 | two\n| x | y",
        ),
        ("a \\\n<b></b>\\\nb", "a\nb"),
    ],
)
def test_markdown_becomes_the_text_a_reader_sees(body: str, expected: str) -> None:
    assert text_of(body) == expected


def test_deep_nesting_loses_nothing() -> None:
    assert text_of("> " * 60 + "deep") == "deep"
