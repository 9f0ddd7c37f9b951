"""indexer.readers.slug"""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from indexer.readers.slug import SLUG_MAX_CHARS, slug, unique_slugs
from kb.schema.article import TOP_SECTION


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("When to Seek Medical Advice", "when-to-seek-medical-advice"),
        ("Twitch, Cramp, Tremor or Jerk?", "twitch-cramp-tremor-or-jerk"),
        ("Crohn's and Ménière’s", "crohns-and-ménières"),
        ("  B12 -- (cobalamin)  ", "b12-cobalamin"),
        ("snake_case", "snake-case"),
        ("Größe", "größe"),
        ("痛みの原因", "痛みの原因"),
        ("हिन्दी में", "हिन्दी-में"),
        ("Me\u0301nie\u0300re", "ménière"),
        ("", "section"),
        ("?!", "section"),
        ("\u0301", "section"),
    ],
)
def test_a_slug_is_the_letters_and_digits_of_a_heading(heading: str, expected: str) -> None:
    assert slug(heading) == expected


@given(st.text())
@example("e'\u0301")
@example("İstanbul")
@example("ΑΣ")
def test_a_slug_is_its_own_slug_and_stays_within_its_bounds(heading: str) -> None:
    made = slug(heading)
    assert slug(made) == made
    assert unicodedata.is_normalized("NFC", made)
    assert 1 <= len(made) <= SLUG_MAX_CHARS
    assert not made.startswith("-")
    assert not made.endswith("-")
    assert "--" not in made


def test_a_long_heading_leaves_room_for_a_counter() -> None:
    ids = unique_slugs(["word " * 100] * 3)
    assert len(set(ids)) == 3
    assert all(len(section_id) <= 200 for section_id in ids)


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        (["Foo", "Bar", "Foo", "foo!"], ["foo", "bar", "foo-2", "foo-3"]),
        (["Foo", "Foo", "Foo 2"], ["foo", "foo-3", "foo-2"]),
        (["Foo 2", "Foo", "Foo"], ["foo-2", "foo", "foo-3"]),
        (["Foo 2", "Foo 2", "Foo", "Foo"], ["foo-2", "foo-2-2", "foo", "foo-3"]),
        (["", "?"], ["section", "section-2"]),
        ([], []),
    ],
)
def test_repeats_are_numbered_without_taking_another_headings_slug(
    headings: list[str], expected: list[str]
) -> None:
    assert unique_slugs(headings) == expected


def test_a_heading_named_top_makes_way_for_the_text_above() -> None:
    assert unique_slugs(["Top", "Top"], [TOP_SECTION]) == ["top-2", "top-3"]
    assert unique_slugs(["Top"]) == ["top"]


@given(
    st.lists(st.one_of(st.text(max_size=4), st.sampled_from(["a", "a 2", "a-2", "a 2 2", "Top"]))),
    st.sets(st.sampled_from(["top", "a", "a-2"])),
)
def test_ids_never_collide(headings: list[str], reserved: set[str]) -> None:
    ids = unique_slugs(headings, reserved)
    assert len(ids) == len(headings)
    assert len({*ids, *reserved}) == len(ids) + len(reserved)
