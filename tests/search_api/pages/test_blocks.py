from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from search_api.pages.blocks import apart, blocks, pieces

TEXT = "One.\nTwo.\n\n- first\n- second\n  and more\n\n3. three\n4. four\n\nA | B\nc | d"


def test_paragraphs_lists_and_tables_are_told_apart() -> None:
    found = blocks(TEXT)
    assert [block.kind for block in found] == ["paragraph", "bullets", "numbers", "table"]
    assert [stretch.pieces[0].text for stretch in found[1].rows[0]] == [
        "first",
        "second\n  and more",
    ]
    assert found[2].first == 3
    assert [[cell.pieces[0].text for cell in row] for row in found[3].rows] == [
        ["A", "B"],
        ["c", "d"],
    ]


def test_a_list_that_does_not_count_up_stays_as_it_was_written() -> None:
    assert blocks("2. two\n4. four")[0].kind == "paragraph"


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Go at once if\n- it hurts\n  badly\n- it swells", ["paragraph", "bullets"]),
        ("Over\ntwo lines:\n• one", ["paragraph", "bullets"]),
        ("Then:\n1. one\n2. two", ["paragraph", "numbers"]),
        ("It was in\n2019. Then it ended.", ["paragraph"]),
        ("Then:\n1. one\n3. three", ["paragraph"]),
        ("One\n- two\nand three", ["paragraph"]),
        ("1. one\n- two", ["paragraph"]),
        ("cold\n-5 degrees", ["paragraph"]),
        ("A | B\nc | d\n- one", ["table", "bullets"]),
        ("A | B\n- c | d", ["table"]),
    ],
)
def test_a_list_may_follow_a_paragraph_without_a_blank_line(text: str, kinds: list[str]) -> None:
    found = blocks(text)
    assert [block.kind for block in found] == kinds
    ends = [block.rows[-1][-1].end for block in found]
    assert ends[-1] == len(text)
    assert found[0].rows[0][0].start == 0


def test_a_mark_from_a_paragraph_into_the_list_below_it_is_cut_between_them() -> None:
    text = "Pain \U0001f642 or\n- swelling\n- heat"
    first, second = blocks(text, [(text.index("or"), text.index("ling"))])
    assert [piece.text for piece in first.rows[0][0].pieces if piece.marked] == ["or"]
    assert [[piece.text for piece in item.pieces if piece.marked] for item in second.rows[0]] == [
        ["swel"],
        [],
    ]


def test_lines_of_unlike_length_are_no_table() -> None:
    assert blocks("a | b\nc")[0].kind == "paragraph"
    assert blocks("one | line")[0].kind == "paragraph"


def test_a_mark_across_blocks_is_cut_at_their_borders() -> None:
    start, end = TEXT.index("Two"), TEXT.index("cond")
    marked = [
        piece.text
        for block in blocks(TEXT, [(start, end)])
        for row in block.rows
        for stretch in row
        for piece in stretch.pieces
        if piece.marked
    ]
    assert marked == ["Two.", "first", "se"]


def test_overlapping_marks_and_marks_outside_lose_no_text() -> None:
    found = pieces("abcdef", 1, 5, apart([(3, 99), (0, 2), (1, 4)]))
    assert [(piece.text, piece.marked) for piece in found] == [
        ("b", True),
        ("cd", True),
        ("e", True),
    ]


@given(
    st.text(alphabet="ab-12. |\n\t•é\U0001f642", max_size=80),
    st.lists(st.tuples(st.integers(-3, 90), st.integers(-3, 90)), max_size=4),
)
def test_every_stretch_is_word_for_word_and_all_words_are_shown(
    text: str, marks: list[tuple[int, int]]
) -> None:
    shown: set[int] = set()
    for block in blocks(text, marks):
        for row in block.rows:
            for stretch in row:
                joined = "".join(piece.text for piece in stretch.pieces)
                assert joined == text[stretch.start : stretch.end]
                shown.update(range(stretch.start, stretch.end))
    lost = [letter for place, letter in enumerate(text) if place not in shown]
    assert not set(lost) & set("abé\U0001f642")


ranges = st.tuples(st.integers(-3, 30), st.integers(-3, 30))


@given(st.lists(ranges, max_size=8), ranges)
def test_a_letter_is_marked_where_any_mark_covers_it(
    marks: list[tuple[int, int]], shown: tuple[int, int]
) -> None:
    text = "abcdefghijklmnopqrstuvwxyz"
    start, end = (min(max(place, 0), len(text)) for place in sorted(shown))
    found = pieces(text, start, end, apart(marks))
    assert "".join(piece.text for piece in found) == text[start:end]
    assert all(piece.text for piece in found)
    covered = {place for first, last in marks for place in range(first, last)}
    places = iter(range(start, end))
    for piece in found:
        assert {next(places) in covered for _ in piece.text} == {piece.marked}
