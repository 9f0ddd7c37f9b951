"""indexer.readers.front_matter"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers.front_matter import read_front_matter
from indexer.readers.text import normalise
from kb.schema.errors import ArticleError


def test_values_lines_and_body_are_told_apart() -> None:
    front = read_front_matter(
        "a.md", "---\nid: x\n\ntags: [a,\n b]\nupdated: 2026-01-31\n---\n\n# T"
    )
    assert front.values == {"id": "x", "tags": ["a", "b"], "updated": "2026-01-31"}
    assert front.key_lines == {"id": 2, "tags": 4, "updated": 6}
    assert front.body == "\n# T"
    assert front.lines == 7


@pytest.mark.parametrize("text", ["", "# T\n", "text\n\n---\n", "----\n", " ---\n---\n"])
def test_without_front_matter_everything_is_body(text: str) -> None:
    front = read_front_matter("a.md", text)
    assert (front.values, front.body, front.lines) == ({}, text, 0)


def test_empty_front_matter_is_fine_and_blank_lines_may_come_first() -> None:
    front = read_front_matter("a.md", "\n--- \n---\nbody")
    assert (front.values, front.body, front.lines) == ({}, "body", 3)


def test_a_date_that_does_not_exist_is_left_for_the_reader_to_name() -> None:
    assert read_front_matter("a.md", "---\nd: 2026-13-45\n---").values == {"d": "2026-13-45"}


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("---\nid: x\n", ["a.md:1:", "not closed", "---"]),
        ("\n\n---\nid: x\n", ["a.md:3:", "not closed"]),
        ("---\nid: x\ntitle: a: b\n---\n", ["a.md:3:", "not valid YAML"]),
        ("---\nid: x\ntags: [a\n---\n", ["not valid YAML"]),
        ("---\na: 1\nb: 2\na: 3\n---\n", ["a.md:4:", '"a" is stated twice', "keep one"]),
        ("---\ns:\n - {t: 1, t: 2}\n---\n", ["a.md:3:", '"t" is stated twice']),
        ("---\n- a\n---\n", ["a.md:2:", "is a list", "key: value"]),
        ("---\njust words\n---\n", ["is text"]),
        ("---\na: &x {k: 1}\nb:\n  <<: *x\n---\n", ["a.md:4:", "merge keys"]),
        ("---\na: !!python/object:os.system x\n---\n", ["a.md:2:", "not valid YAML"]),
        ("---\na: !!int x\n---\n", ["not valid YAML", "ValueError"]),
        ("---\na: !!bool x\n---\n", ["not valid YAML"]),
        ("---\na: b\nc: \ufffe\n---\n", ["a.md:3:", "U+FFFE"]),
        ("---\na: x\u2028\nb: 1: 2\n---\n", ["a.md:3:"]),
        ("---\n{[1]: 2}\n---\n", ["not valid YAML"]),
        ("---\na: " + "[" * 5000 + "\n---\n", ["not valid YAML"]),
        ("---\na: 1\n...\nb: 2\n---\n", ["not valid YAML"]),
    ],
)
def test_what_is_wrong_is_named_with_its_line_in_the_file(text: str, parts: list[str]) -> None:
    with pytest.raises(ArticleError) as caught:
        read_front_matter("a.md", text)
    for part in parts:
        assert part in str(caught.value)


@given(st.text(alphabet=st.sampled_from("ab:-[]{}&*!?|>'\"%@,# \n\t<.=~_0159exXT\u2028é")))
def test_no_yaml_raises_anything_but_an_article_error(block: str) -> None:
    try:
        front = read_front_matter("a.md", f"---\n{normalise(block)}\n---\nbody")
    except ArticleError as error:
        assert error.line is not None
    else:
        assert front.body.endswith("body")
