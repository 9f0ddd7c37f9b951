"""indexer.readers.ids"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from indexer.readers.ids import ID_MAX_CHARS, article_id, id_from_name, section_id
from indexer.readers.metadata import FieldError


@pytest.mark.parametrize(
    "value", ["a", "MED-1", "Armenian#0", "a/b", "a..b/.c", "é", "x" * 200, "..."]
)
def test_ids_are_kept_as_given(value: str) -> None:
    assert article_id(value) == value
    assert section_id(value) == value


@pytest.mark.parametrize(
    ("value", "part"),
    [
        ("", "0 characters"),
        ("x" * 201, "201 characters: use 1 to 200"),
        ("a b", "U+0020"),
        ("a\u00a0b", "U+00A0"),
        ("a\x07", "U+0007"),
        ("a\ud800", "U+D800"),
        (7, "must be text, not a number: put it in quotes"),
        (None, "not empty"),
        (".", "folder"),
        ("..", "folder"),
        ("../../etc", 'id "../../etc": ".." means a folder'),
        ("a/./b", "folder"),
        ("a/..", "folder"),
    ],
)
def test_what_cannot_be_an_article_id_is_named(value: object, part: str) -> None:
    with pytest.raises(FieldError) as caught:
        article_id(value)
    assert part in str(caught.value)


def test_a_section_may_be_called_dot() -> None:
    assert section_id(".") == "."


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("corpus/leg-cramps.md", "leg-cramps"),
        ("B12_facts.v2.md", "B12_facts.v2"),
        ("Leg Cramps (night).txt", "leg-cramps-night"),
        ("e\u0301.md", "é"),
        ("...md", "section"),
    ],
)
def test_a_files_stem_is_its_id_slugged_only_where_it_must_be(name: str, expected: str) -> None:
    assert id_from_name(name) == expected


@given(st.text(min_size=1))
def test_every_file_name_gives_a_valid_id(name: str) -> None:
    made = id_from_name(Path(name))
    assert article_id(made) == made
    assert len(made) <= ID_MAX_CHARS
